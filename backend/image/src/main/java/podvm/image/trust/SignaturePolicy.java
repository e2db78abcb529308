package podvm.image.trust;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/** Which images may be pulled, and what must have been signed for that. */
public final class SignaturePolicy {
    /** What holds where no policy is configured. */
    public static final SignaturePolicy ACCEPT_ANYTHING =
            new SignaturePolicy(
                    "no policy", Map.of("", Map.of("", List.of(new Requirement.AcceptAnything()))));

    /** Images of registries, in the form's words. */
    private static final String TRANSPORT = "docker";

    /** How an image comes that comes as a file (containers-transports(5)). */
    public enum Archive {
        DOCKER("docker-archive"),
        OCI("oci-archive"),
        ROOT_FILE_SYSTEM("tarball");

        private final String transport;

        Archive(String transport) {
            this.transport = transport;
        }
    }

    private final String source;
    private final Map<String, Map<String, List<Requirement>>> transports;

    private SignaturePolicy(String source, Map<String, Map<String, List<Requirement>>> transports) {
        this.source = source;
        this.transports = transports;
    }

    /** With the keys that it names. */
    public static SignaturePolicy read(Path file) throws PodException {
        var what = "image policy " + file;
        try {
            return new SignaturePolicy(what, new PolicyReader(what).read(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "cannot read the %s: %s".formatted(what, e),
                    "check image.policy",
                    e);
        }
    }

    /**
     * Refuses what can never pass: before anything is fetched, or used that was fetched earlier.
     */
    public void checkName(SignedImage image) throws PodException {
        var scope = scope(image);
        if (requirements(scope).contains(new Requirement.Reject())) {
            throw denied(image.shown(), scope, "it rejects all of them");
        }
    }

    /** Of a transport's scopes the empty one counts: what an archive's path was is not known. */
    public void checkImport(Archive archive) throws PodException {
        boolean own = transports.getOrDefault(archive.transport, Map.of()).containsKey("");
        var scope = new Scope(own ? archive.transport : "", "");
        for (var requirement : requirements(scope)) {
            switch (requirement) {
                case Requirement.AcceptAnything _ -> {}
                case Requirement.Reject _ ->
                        throw denied("an import", scope, "it rejects all of them");
                case Requirement.Signed _ ->
                        throw denied("an import", scope, "an archive brings no signatures");
            }
        }
    }

    /** Fails with DENIED where the image does not fulfil every requirement. */
    public void check(SignedImage image, SignatureSource signatures, Deadline deadline)
            throws PodException, InterruptedException {
        checkName(image);
        var scope = scope(image);
        for (var requirement : requirements(scope)) {
            if (requirement instanceof Requirement.Signed signed) {
                var objections =
                        new CosignSignatures(signatures, deadline).objections(image, signed);
                if (!objections.isEmpty()) {
                    throw denied(image.shown(), scope, String.join("; ", objections));
                }
            }
        }
    }

    private PodException denied(String image, Scope scope, String why) {
        return new PodException(
                PodException.Kind.DENIED,
                "the %s (%s) does not allow %s: %s".formatted(source, scope.shown(), image, why),
                "have the image signed, or change the policy");
    }

    private record Scope(String transport, String name) {
        String shown() {
            if (transport.isEmpty()) {
                return "default";
            }
            return name.isEmpty() ? "default of " + transport : name;
        }
    }

    private List<Requirement> requirements(Scope scope) {
        return transports
                .getOrDefault(scope.transport(), Map.of())
                .getOrDefault(scope.name(), List.of(new Requirement.Reject()));
    }

    /** The most specific scope that there are requirements for. */
    private Scope scope(SignedImage image) {
        var docker = transports.getOrDefault(TRANSPORT, Map.of());
        return scopes(image).stream()
                .filter(docker::containsKey)
                .findFirst()
                .map(name -> new Scope(TRANSPORT, name))
                .orElseGet(() -> new Scope("", ""));
    }

    /**
     * From the image itself by way of its folders and host to the host's domains
     * (containers-policy.json(5), "docker:").
     */
    private static SequencedSet<String> scopes(SignedImage image) {
        var names = new ArrayList<String>();
        image.tag().ifPresent(tag -> names.add(image.repository() + ":" + tag));
        if (image.tag().isEmpty()) {
            image.digests().forEach(digest -> names.add(image.repository() + "@" + digest));
        }
        var name = image.repository();
        names.add(name);
        while (name.contains("/")) {
            name = name.substring(0, name.lastIndexOf('/'));
            names.add(name);
        }
        int port = name.indexOf(':');
        var host = port < 0 ? name : name.substring(0, port);
        for (int dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
            names.add("*" + host.substring(dot));
        }
        names.add("");
        return new LinkedHashSet<>(names);
    }
}
