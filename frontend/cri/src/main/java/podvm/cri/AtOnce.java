package podvm.cri;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import java.util.Set;
import java.util.concurrent.Executor;
import podvm.proto.cri.v1.RuntimeServiceGrpc;

/**
 * Has reads that neither block nor take long answered on the loop that has read the request: a
 * change of threads takes longer than the answer.
 *
 * @param others has a thread for every other call
 */
record AtOnce(Executor others) implements ServerCallExecutorSupplier {
    /** Those that {@link RuntimeCalls} answers by {@link Calls#now}. */
    private static final Set<MethodDescriptor<?, ?>> READS =
            Set.of(
                    RuntimeServiceGrpc.getVersionMethod(),
                    RuntimeServiceGrpc.getRuntimeConfigMethod(),
                    RuntimeServiceGrpc.getListPodSandboxMethod(),
                    RuntimeServiceGrpc.getPodSandboxStatusMethod(),
                    RuntimeServiceGrpc.getListContainersMethod(),
                    RuntimeServiceGrpc.getContainerStatusMethod());

    @Override
    public <A, B> Executor getExecutor(ServerCall<A, B> call, Metadata metadata) {
        return READS.contains(call.getMethodDescriptor()) ? Runnable::run : others;
    }
}
