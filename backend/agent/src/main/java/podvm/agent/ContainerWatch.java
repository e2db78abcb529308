package podvm.agent;

import podvm.engine.Agent.Watcher;
import podvm.engine.PodException;
import podvm.proto.agent.v1.ContainerState;
import podvm.proto.agent.v1.WatchContainersRequest;

/** Follows the states of all containers of a guest. */
record ContainerWatch(Conversation<WatchContainersRequest, ContainerState> call, Watcher watcher) {

    void run() throws PodException, InterruptedException {
        try {
            call.sendNow(WatchContainersRequest.getDefaultInstance());
            call.halfClose();
            for (var state = call.receive(); state != null; state = call.receive()) {
                if (state.getPresentTold()) {
                    watcher.presentTold();
                } else {
                    Reports.container(state).ifPresent(watcher::changed);
                }
            }
        } catch (PodException e) {
            if (!call.lost()) {
                throw e;
            }
        }
    }
}
