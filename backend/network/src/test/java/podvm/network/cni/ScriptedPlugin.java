package podvm.network.cni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/** A plugin that is a small script, which keeps what it was told. */
record ScriptedPlugin(Path directory, String type) {
    static final String ALL_VERSIONS = "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"";

    private static final String SCRIPT =
            """
            #!/bin/sh
            if [ "$CNI_COMMAND" = VERSION ]; then
              echo '{"cniVersion":"1.0.0","supportedVersions":[VERSIONS]}'
              exit 0
            fi
            echo "$CNI_COMMAND TYPE" >> DIRECTORY/calls
            cat > DIRECTORY/TYPE.$CNI_COMMAND.json
            env | grep ^CNI_ > DIRECTORY/TYPE.$CNI_COMMAND.env
            BODY
            """;

    /**
     * @param versions as JSON, without brackets
     * @param body what it does at each command but VERSION
     */
    static ScriptedPlugin of(Path directory, String type, String versions, String body)
            throws IOException {
        var text =
                SCRIPT.replace("VERSIONS", versions)
                        .replace("BODY", body)
                        .replace("TYPE", type)
                        .replace("DIRECTORY", directory.toString());
        var file = Files.writeString(directory.resolve(type), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new ScriptedPlugin(directory, type);
    }

    static String answering(String result) {
        return "[ $CNI_COMMAND = ADD ] && echo '" + result + "'; exit 0";
    }

    ObjectNode told(String command) throws IOException {
        return Json.object(Files.readAllBytes(directory.resolve(type + "." + command + ".json")))
                .orElseThrow();
    }

    List<String> environment(String command) throws IOException {
        return Files.readAllLines(directory.resolve(type + "." + command + ".env"));
    }

    static List<String> calls(Path directory) throws IOException {
        var file = directory.resolve("calls");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }
}
