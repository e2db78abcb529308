package podvm.journal;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerSpec.EnvSpec;
import podvm.engine.NetworkChoice;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.VolumeSpec;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * How engine records look in JSON. The engine knows nothing of it: what it needs is mixed in here.
 */
final class RecordJson {
    /** Sealed types say which of their records it is. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME, property = "kind")
    private interface Tagged {}

    private RecordJson() {}

    static JsonMapper mapper() {
        return JsonMapper.builder()
                .addMixIn(EnvSpec.class, Tagged.class)
                .addMixIn(VolumeSpec.class, Tagged.class)
                .addMixIn(ContainerState.class, Tagged.class)
                .addMixIn(NetworkChoice.class, Tagged.class)
                .addMixIn(ContainerConfig.MountSource.class, Tagged.class)
                .addMixIn(ContainerConfig.Seccomp.class, Tagged.class)
                .addMixIn(ContainerConfig.PidNamespace.class, Tagged.class)
                .enable(SerializationFeature.INDENT_OUTPUT)
                // a record written by a newer daemon can still be adopted after a downgrade
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }
}
