package podvm.machine.qemu;

import tools.jackson.databind.json.JsonMapper;

/** QEMU's language on its command line and its control socket. */
final class Json {
    static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    static String text(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
