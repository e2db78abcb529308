package podvm.agent;

import java.util.List;
import java.util.Map;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestProcess;
import podvm.engine.GuestResources;
import podvm.engine.GuestStats;
import podvm.engine.HugepageSizes;
import podvm.engine.PodException;
import podvm.proto.agent.v1.AdjustVcpusRequest;
import podvm.proto.agent.v1.AgentGrpc;
import podvm.proto.agent.v1.CgroupSetting;
import podvm.proto.agent.v1.Hugepages;
import podvm.proto.agent.v1.ListProcessesRequest;
import podvm.proto.agent.v1.ReserveHugepagesRequest;
import podvm.proto.agent.v1.StatsRequest;
import podvm.proto.agent.v1.UpdateResourcesRequest;

/** Resources over one connection. */
record GrpcResources(Connection connection) implements GuestResources {
    @Override
    public GuestStats stats(Detail detail, Deadline deadline)
            throws PodException, InterruptedException {
        var request = StatsRequest.newBuilder().setOpenFiles(detail == Detail.OPEN_FILES);
        return Measurements.read(
                connection.ask(
                        AgentGrpc.getStatsMethod(),
                        request.build(),
                        "measure the guest",
                        deadline));
    }

    @Override
    public List<GuestProcess> processes(Deadline deadline)
            throws PodException, InterruptedException {
        return Processes.read(
                connection.ask(
                        AgentGrpc.getListProcessesMethod(),
                        ListProcessesRequest.getDefaultInstance(),
                        "list the guest's processes",
                        deadline));
    }

    @Override
    public void update(ContainerId container, Change change, Deadline deadline)
            throws PodException, InterruptedException {
        var request = request(change.settings()).setContainerId(container.text());
        change.oomScoreAdj().ifPresent(request::setOomScoreAdj);
        connection.ask(
                AgentGrpc.getUpdateResourcesMethod(),
                request.build(),
                "change the limits of container " + container.brief(),
                deadline);
    }

    @Override
    public void updatePod(List<Setting> settings, Deadline deadline)
            throws PodException, InterruptedException {
        connection.ask(
                AgentGrpc.getUpdateResourcesMethod(),
                request(settings).build(),
                "change the limits of the pod",
                deadline);
    }

    @Override
    public int adjustVcpus(int least, int most, Deadline deadline)
            throws PodException, InterruptedException {
        var request = AdjustVcpusRequest.newBuilder().setLeast(least).setMost(most);
        return connection
                .ask(
                        AgentGrpc.getAdjustVcpusMethod(),
                        request.build(),
                        "change how many vCPUs the guest uses",
                        deadline)
                .getOnline();
    }

    @Override
    public void hugepages(Map<String, Long> bytes, Deadline deadline)
            throws PodException, InterruptedException {
        var request = ReserveHugepagesRequest.newBuilder();
        for (var one : bytes.entrySet()) {
            request.addHugepages(
                    Hugepages.newBuilder()
                            .setPageBytes(HugepageSizes.bytes(one.getKey()).orElse(0L))
                            .setBytes(one.getValue()));
        }
        connection.ask(
                AgentGrpc.getReserveHugepagesMethod(),
                request.build(),
                "reserve large pages " + bytes,
                deadline);
    }

    private static UpdateResourcesRequest.Builder request(List<Setting> settings) {
        return UpdateResourcesRequest.newBuilder()
                .addAllSettings(settings.stream().map(GrpcResources::setting).toList());
    }

    static CgroupSetting setting(Setting setting) {
        return CgroupSetting.newBuilder().setFile(setting.file()).setValue(setting.value()).build();
    }
}
