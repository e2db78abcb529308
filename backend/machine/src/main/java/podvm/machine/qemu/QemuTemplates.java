package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Machine;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Templates;
import podvm.linux.MemoryFile;

/** The templates of this daemon. They live in files without names, so none outlives its users. */
final class QemuTemplates implements Templates, AutoCloseable {
    private static final long MIB = 1L << 20;

    /** What failed, for want of memory perhaps, is tried again after so long. */
    private static final Duration AGAIN = Duration.ofMinutes(10);

    private final QemuOptions options;
    private final Boot boot;
    private final Map<Shape, Template> templates = new LinkedHashMap<>(4, 0.75f, true);
    private final Map<Shape, Failure> failures = new LinkedHashMap<>();

    /**
     * @param boot boots a machine with such memory
     */
    QemuTemplates(QemuOptions options, Boot boot) {
        this.options = options;
        this.boot = boot;
    }

    @FunctionalInterface
    interface Boot {
        QemuMachine boot(MachineSpec spec, Memory memory, Deadline deadline)
                throws PodException, InterruptedException;
    }

    /** The template for such a machine; using it makes it the last to be thrown away. */
    synchronized Optional<Template> find(MachineSpec spec) throws PodException {
        var shape = Shape.of(options, spec);
        dropOutdated(shape.ingredients());
        return Optional.ofNullable(templates.get(shape));
    }

    /** Why there is none, in words for an event; empty where nothing is to be said. */
    synchronized String absence(MachineSpec spec) throws PodException {
        var failure = failures.get(Shape.of(options, spec));
        return failure == null ? "there is no template for it yet" : failure.why();
    }

    @Override
    public synchronized boolean wanted(MachineSpec spec) {
        try {
            var shape = Shape.of(options, spec);
            var failure = failures.get(shape);
            return options.templates().most() > 0
                    && !templates.containsKey(shape)
                    && (failure == null || failure.when().isBefore(Instant.now().minus(AGAIN)));
        } catch (PodException e) {
            // without its files no machine boots, which is told there
            return false;
        }
    }

    @Override
    public Draft draft(MachineSpec spec, Deadline deadline)
            throws PodException, InterruptedException {
        var shape = Shape.of(options, spec);
        var bytes = Headroom.here(options, spec.size()).memoryMib() * MIB;
        var memory = MemoryFile.create("podvm-template-memory", bytes);
        try {
            var state = MemoryFile.create("podvm-template-state", 0);
            try {
                var machine = boot.boot(blank(spec), new Memory.Shared(memory), deadline);
                return new QemuDraft(shape, spec, machine, memory, state);
            } catch (PodException | InterruptedException e) {
                state.close();
                throw e;
            }
        } catch (PodException | InterruptedException e) {
            memory.close();
            throw e;
        }
    }

    /** Such a machine, of nobody's, that reaches nothing. */
    private static MachineSpec blank(MachineSpec spec) {
        var nics = spec.nics().stream().map(nic -> (Nic) new Nic.Unplugged(nic)).toList();
        return new MachineSpec(
                PodId.random(), spec.namespace(), spec.size(), List.of(), nics, Optional.empty());
    }

    private synchronized Status add(Shape shape, Template template) throws PodException {
        long most = options.templates().mostMib() * MIB;
        if (most > 0 && template.bytes() > most) {
            throw new PodException(
                    Kind.EXHAUSTED,
                    "it takes %d MiB, all templates together may take %d"
                            .formatted(template.bytes() / MIB, options.templates().mostMib()),
                    "raise machine.templates-mib");
        }
        var before = templates.put(shape, template);
        if (before != null) {
            before.close();
        }
        failures.remove(shape);
        var oldest = templates.entrySet().iterator();
        while (templates.size() > options.templates().most() || (most > 0 && bytes() > most)) {
            oldest.next().getValue().close();
            oldest.remove();
        }
        return status(shape, template);
    }

    private long bytes() {
        return templates.values().stream().mapToLong(Template::bytes).sum();
    }

    private static Status status(Shape shape, Template template) {
        return new Status(
                shape.size(),
                shape.networks(),
                shape.namespace(),
                template.made(),
                template.clones(),
                template.bytes(),
                Optional.empty());
    }

    /** Nothing can start any more from what was made of files that are others now. */
    private void dropOutdated(List<String> ingredients) {
        var all = templates.entrySet().iterator();
        while (all.hasNext()) {
            var one = all.next();
            if (!one.getKey().ingredients().equals(ingredients)) {
                one.getValue().close();
                all.remove();
            }
        }
        failures.keySet().removeIf(shape -> !shape.ingredients().equals(ingredients));
    }

    @Override
    public synchronized void reject(MachineSpec spec, String why) {
        try {
            var shape = Shape.of(options, spec);
            var template = templates.remove(shape);
            if (template != null) {
                template.close();
            }
            failures.put(shape, new Failure(why, Instant.now()));
        } catch (PodException e) {
            // without its files there is no shape, and no template either
        }
    }

    @Override
    public synchronized List<Status> list() {
        try {
            dropOutdated(Shape.ingredients(options));
        } catch (PodException e) {
            // one of the files is missing, perhaps while it is replaced: told where a machine boots
        }
        var all = new ArrayList<Status>();
        templates.forEach((shape, template) -> all.add(status(shape, template)));
        failures.forEach((shape, failure) ->
                all.add(
                        new Status(
                                shape.size(),
                                shape.networks(),
                                shape.namespace(),
                                failure.when(),
                                0,
                                0,
                                Optional.of(failure.why()))));
        return all;
    }

    @Override
    public synchronized int prune() {
        var many = templates.size();
        templates.values().forEach(Template::close);
        templates.clear();
        failures.clear();
        return many;
    }

    @Override
    public void close() {
        var _ = prune();
    }

    private record Failure(String why, Instant when) {}

    /**
     * All that a copy must have in common with its template.
     *
     * @param namespace empty where templates are shared by all
     * @param ingredients names and states of the files that a machine is made of
     */
    private record Shape(
            MachineSize size, String namespace, List<String> nics, List<String> ingredients) {
        static Shape of(QemuOptions options, MachineSpec spec) throws PodException {
            var namespace =
                    switch (options.templates().sharing()) {
                        case NODE -> "";
                        case NAMESPACE -> spec.namespace();
                    };
            var nics = spec.nics().stream().map(Shape::kind).toList();
            return new Shape(spec.size(), namespace, nics, ingredients(options));
        }

        static List<String> ingredients(QemuOptions options) throws PodException {
            var files = List.of(options.binary(), options.kernel(), options.initramfs());
            var ingredients = new ArrayList<String>();
            for (var file : files) {
                ingredients.add(state(file));
            }
            return ingredients;
        }

        /** The first word of each. */
        List<String> networks() {
            return nics.stream().map(nic -> nic.substring(0, nic.indexOf(' '))).toList();
        }

        /** What the guest knows of it. */
        private static String kind(Nic nic) {
            return switch (nic) {
                case Nic.User(var mac) -> "user " + mac;
                case Nic.Tap tap -> "tap " + tap.mac();
                case Nic.Unplugged(var like) -> kind(like);
            };
        }

        private static String state(Path file) throws PodException {
            try {
                var now = Files.readAttributes(file, BasicFileAttributes.class);
                return file + " " + now.fileKey() + " " + now.size() + " " + now.lastModifiedTime();
            } catch (IOException e) {
                throw new PodException(Kind.NOT_FOUND, "cannot read " + file + ": " + e, "", e);
            }
        }
    }

    private final class QemuDraft implements Draft {
        private final Shape shape;
        private final MachineSpec spec;
        private final QemuMachine machine;
        private final MemoryFile memory;
        private final MemoryFile state;
        private final Template template;
        private boolean published;

        QemuDraft(
                Shape shape,
                MachineSpec spec,
                QemuMachine machine,
                MemoryFile memory,
                MemoryFile state) {
            this.shape = shape;
            this.spec = spec;
            this.machine = machine;
            this.memory = memory;
            this.state = state;
            this.template = new Template(memory, state);
        }

        @Override
        public Machine machine() {
            return machine;
        }

        @Override
        public void freeze(Deadline deadline) throws PodException, InterruptedException {
            try (var file = state.writer()) {
                machine.save(file, deadline);
            }
            machine.close();
            memory.seal();
            state.seal();
            template.measure();
        }

        @Override
        public Machine trial(Deadline deadline) throws PodException, InterruptedException {
            return boot.boot(blank(spec), new Memory.Copied(template), deadline);
        }

        @Override
        public Status publish() throws PodException {
            var status = add(shape, template);
            published = true;
            return status;
        }

        @Override
        public void close() throws PodException {
            try {
                machine.close();
            } finally {
                if (!published) {
                    template.close();
                }
            }
        }
    }
}
