package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One pod whose containers look at files from ConfigMaps and Secrets. */
class VolumesIT {
    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void aPodLooksAtItsVolumes() throws Exception {
        node.run(
                """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: config}
                data: {greeting: hello, colour: blue}
                binaryData: {bytes: AAEC/w==}
                ---
                apiVersion: v1
                kind: Secret
                metadata: {name: secret}
                data: {password: c2VzYW1l}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: files}
                spec:
                  restartPolicy: Never
                  volumes:
                    - {name: config, configMap: {name: config}}
                    - {name: secret, secret: {secretName: secret, defaultMode: 0400}}
                    - name: chosen
                      configMap: {name: config, items: [{key: colour, path: deep/paint, mode: 0600}]}
                    - {name: absent, configMap: {name: absent, optional: true}}
                    - {name: scratch, emptyDir: {}}
                  containers:
                    - name: whole
                      image: localhost/box:1
                      command: [sh, -c, 'cd /config && cat greeting && echo && cat colour && echo && hexdump -C bytes | head -n 1']
                      volumeMounts: [{name: config, mountPath: /config}]
                    - name: secret
                      image: localhost/box:1
                      command: [sh, -c, 'cat /secret/password; echo; stat -L -c %a /secret/password; grep " /secret " /proc/mounts']
                      volumeMounts: [{name: secret, mountPath: /secret}]
                    - name: chosen
                      image: localhost/box:1
                      command: [sh, -c, 'cat /chosen/deep/paint; echo; stat -L -c %a /chosen/deep/paint; ls /chosen']
                      volumeMounts: [{name: chosen, mountPath: /chosen}]
                    - name: one-file
                      image: localhost/box:1
                      command: [sh, -c, 'cat /etc/colour; echo; ls /etc/app | wc -l; touch /etc/colour']
                      volumeMounts:
                        - {name: config, mountPath: /etc/colour, subPath: colour}
                        - {name: absent, mountPath: /etc/app}
                    - name: below
                      image: localhost/box:1
                      command: [sh, -c, 'echo kept >/data/file; ls /whole/part']
                      volumeMounts:
                        - {name: scratch, mountPath: /data, subPath: part}
                        - {name: scratch, mountPath: /whole}
                """);
    }

    private static List<String> said(String container) throws Exception {
        return node.podvm("logs", "-c", container, "files").expect(0).lines();
    }

    @Test
    void theKeysOfAConfigMapAreFiles() throws Exception {
        assertThat(said("whole"))
                .startsWith("hello", "blue")
                .last()
                .asString()
                .contains("00 01 02 ff");
    }

    @Test
    void aSecretsFilesHaveTheirModeAndAreInMemoryOnly() throws Exception {
        assertThat(said("secret"))
                .startsWith("sesame", "400")
                .last()
                .asString()
                .containsPattern(" (tmpfs|rootfs) ");
    }

    @Test
    void chosenKeysHavePathsAndModesOfTheirOwn() throws Exception {
        assertThat(said("chosen")).containsExactly("blue", "600", "deep");
    }

    @Test
    void oneKeyCanBeMountedAsAFileAndCannotBeWritten() throws Exception {
        assertThat(said("one-file")).containsExactly("blue", "0");
        assertThat(node.podvm("logs", "-c", "one-file", "files").err())
                .contains("Read-only file system");
    }

    @Test
    void aPartOfAnEmptyDirIsMadeWhereMissing() throws Exception {
        assertThat(said("below")).containsExactly("file");
    }
}
