package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One pod whose containers say what they were started with. */
class EnvironmentIT {
    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void aPodOfManyContainersRunsToItsEnd() throws Exception {
        var archive =
                ImageArchives.dockerArchive(
                        node.base().resolve("manifests/entry.tar"),
                        "localhost/entry:1",
                        """
                        "Entrypoint":["/bin/echo","entry"],"Cmd":["cmd"],"WorkingDir":"/home/app",
                        "Env":["PATH=/bin","FROM_IMAGE=image","OVERRIDDEN=image"]
                        """);
        node.podvm("image", "import", archive.toString()).expect(0);
        node.run(
                        """
                        apiVersion: v1
                        kind: ConfigMap
                        metadata: {name: all}
                        data: {ONE: "1", TWO: "two $(ONE)"}
                        ---
                        apiVersion: v1
                        kind: Secret
                        metadata: {name: key}
                        stringData: {password: "open sesame"}
                        ---
                        apiVersion: v1
                        kind: Pod
                        metadata:
                          name: words
                          labels: {app: demo}
                          annotations: {note: "a note"}
                        spec:
                          restartPolicy: Never
                          containers:
                            - {name: image, image: localhost/entry:1}
                            - {name: args, image: localhost/entry:1, args: [args]}
                            - {name: command, image: localhost/entry:1, command: [echo, command]}
                            - {name: both, image: localhost/entry:1, command: [echo, command], args: [args]}
                            - {name: imagedir, image: localhost/entry:1, command: [pwd]}
                            - {name: dir, image: localhost/entry:1, command: [pwd], workingDir: /var}
                            - {name: newdir, image: localhost/entry:1, command: [pwd], workingDir: /new/dir}
                            - name: expanded
                              image: localhost/entry:1
                              command: [echo, "$(A)", "$$(A)", "$(UNKNOWN)"]
                              env: [{name: A, value: a}]
                            - name: env
                              image: localhost/entry:1
                              command: [env]
                              resources:
                                limits: {cpu: 250m, memory: 64Mi}
                              envFrom:
                                - {configMapRef: {name: all}}
                                - {prefix: P_, configMapRef: {name: all}}
                                - {secretRef: {name: absent, optional: true}}
                              env:
                                - {name: OVERRIDDEN, value: manifest}
                                - {name: TWO, value: "2"}
                                - {name: REFERS, value: "$(ONE)+$(TWO)"}
                                - {name: PASSWORD, valueFrom: {secretKeyRef: {name: key, key: password}}}
                                - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                                - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
                                - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
                                - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
                                - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                                - {name: UID_, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
                                - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
                                - {name: CPUS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
                                - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
                        """)
                .expect(0);
    }

    private static List<String> said(String container) throws Exception {
        return node.podvm("logs", "-c", container, "words").expect(0).lines();
    }

    @Test
    void withoutCommandTheImagesEntrypointAndCmdRun() throws Exception {
        assertThat(said("image")).containsExactly("entry cmd");
    }

    @Test
    void argsReplaceCmd() throws Exception {
        assertThat(said("args")).containsExactly("entry args");
    }

    @Test
    void commandReplacesEntrypointAndCmd() throws Exception {
        assertThat(said("command")).containsExactly("command");
        assertThat(said("both")).containsExactly("command args");
    }

    @Test
    void theManifestsWorkingDirWinsOverTheImagesAndIsMadeWhereMissing() throws Exception {
        assertThat(said("imagedir")).containsExactly("/home/app");
        assertThat(said("dir")).containsExactly("/var");
        assertThat(said("newdir")).containsExactly("/new/dir");
    }

    @Test
    void referencesInArgumentsAreExpandedAsKubernetesDoes() throws Exception {
        assertThat(said("expanded")).containsExactly("a $(A) $(UNKNOWN)");
    }

    @Test
    void variablesComeFromTheImageThenEnvFromThenEnv() throws Exception {
        assertThat(said("env"))
                .contains("FROM_IMAGE=image", "OVERRIDDEN=manifest", "ONE=1", "TWO=2", "REFERS=1+2")
                .contains("P_ONE=1", "P_TWO=two $(ONE)", "PASSWORD=open sesame", "PATH=/bin");
    }

    @Test
    void variablesComeFromFieldsOfThePod() throws Exception {
        assertThat(said("env"))
                .contains("POD=words", "NAMESPACE=default", "APP=demo", "NOTE=a note")
                .anyMatch(line -> line.matches("POD_IP=10\\.\\d+\\.\\d+\\.\\d+"))
                .anyMatch(line -> line.matches("UID_=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
    }

    @Test
    void variablesComeFromResourcesOfTheContainer() throws Exception {
        assertThat(said("env")).contains("CPU=250", "CPUS=1", "MEMORY=64");
    }

    @Test
    void theHostNameIsAVariable() throws Exception {
        assertThat(said("env")).contains("HOSTNAME=words");
    }
}
