package podvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import podvm.engine.PodException;

/**
 * A program to start so that it outlives us: in a session of its own, with no pipe to us, every
 * signal as by default and no descriptor but those named.
 *
 * @param arguments the program's absolute path first
 * @param environment "NAME=value"
 * @param directory its working directory
 * @param output where its standard output and error go; standard input is empty
 * @param inherited seen by the program as descriptors 3, 4, …, in this order
 */
public record Command(
        List<String> arguments,
        List<String> environment,
        Path directory,
        Descriptor output,
        List<Descriptor> inherited) {
    /** The number of the first inherited descriptor in the program. */
    public static final int FIRST_INHERITED = 3;

    private static final short SPAWN_FLAGS = 0x04 | 0x08 | 0x80; // SETSIGDEF, SETSIGMASK, SETSID
    private static final int SIGSET_BYTES = 128;
    private static final int OPAQUE_BYTES = 512; // more than glibc's attributes and actions take
    private static final Path NOTHING = Path.of("/dev/null");

    /** Starts the program. That it could not be executed is told here too. */
    public HostProcess start() throws PodException {
        var copies = new ArrayList<Descriptor>();
        try (var arena = Arena.ofConfined();
                var empty = Descriptor.readOnly(NOTHING)) {
            var sources = new ArrayList<>(List.of(empty, output, output));
            sources.addAll(inherited);
            for (var source : sources) {
                // above all targets, so that placing one never overwrites another
                copies.add(source.duplicate(sources.size()));
            }
            return handle(spawn(arena, copies));
        } finally {
            copies.forEach(Descriptor::close);
        }
    }

    /** The number is safe until somebody waits for the child, which only the handle does. */
    private static HostProcess handle(int pid) throws PodException {
        try {
            return HostProcess.open(pid);
        } catch (PodException e) {
            killUnhandled(pid);
            throw e;
        }
    }

    private static void killUnhandled(int pid) {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var _ = (int) NativeSpawn.KILL.invokeExact(errno, pid, Signal.KILL.number());
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    private int spawn(Arena arena, List<Descriptor> descriptors) throws PodException {
        var pid = arena.allocate(ValueLayout.JAVA_INT);
        var actions = arena.allocate(OPAQUE_BYTES, 16);
        var attributes = arena.allocate(OPAQUE_BYTES, 16);
        try {
            must((int) NativeSpawn.ACTIONS_INIT.invokeExact(actions));
            must((int) NativeSpawn.ATTR_INIT.invokeExact(attributes));
            placeDescriptors(arena, actions, descriptors);
            resetSignals(arena, attributes);
            var path = arena.allocateFrom(arguments.getFirst());
            var argv = strings(arena, arguments);
            var env = strings(arena, environment);
            var error =
                    (int) NativeSpawn.SPAWN.invokeExact(pid, path, actions, attributes, argv, env);
            must((int) NativeSpawn.ATTR_DESTROY.invokeExact(attributes));
            must((int) NativeSpawn.ACTIONS_DESTROY.invokeExact(actions));
            if (error != 0) {
                throw new Errno(error).exception("start", arguments.getFirst());
            }
            return pid.get(ValueLayout.JAVA_INT, 0);
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    private void placeDescriptors(Arena arena, MemorySegment actions, List<Descriptor> sources)
            throws Throwable {
        for (var target = 0; target < sources.size(); target++) {
            var source = sources.get(target).number();
            must((int) NativeSpawn.ACTIONS_DUP2.invokeExact(actions, source, target));
        }
        must((int) NativeSpawn.ACTIONS_CLOSEFROM.invokeExact(actions, sources.size()));
        var path = arena.allocateFrom(directory.toString());
        must((int) NativeSpawn.ACTIONS_CHDIR.invokeExact(actions, path));
    }

    /** The JVM blocks and handles signals of its own; a program must not inherit that. */
    private static void resetSignals(Arena arena, MemorySegment attributes) throws Throwable {
        var none = arena.allocate(SIGSET_BYTES, 8);
        var all = arena.allocate(SIGSET_BYTES, 8);
        must((int) NativeSpawn.SIGEMPTYSET.invokeExact(none));
        must((int) NativeSpawn.SIGFILLSET.invokeExact(all));
        must((int) NativeSpawn.ATTR_MASK.invokeExact(attributes, none));
        must((int) NativeSpawn.ATTR_DEFAULT.invokeExact(attributes, all));
        must((int) NativeSpawn.ATTR_FLAGS.invokeExact(attributes, SPAWN_FLAGS));
    }

    private static MemorySegment strings(Arena arena, List<String> texts) {
        var array = arena.allocate(ValueLayout.ADDRESS, texts.size() + 1L);
        for (var i = 0; i < texts.size(); i++) {
            array.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(texts.get(i)));
        }
        return array;
    }

    /** These calls fail only for lack of memory or wrong arguments of ours. */
    private static void must(int error) throws PodException {
        if (error != 0) {
            throw new Errno(error).exception("prepare", "the start of a program");
        }
    }
}
