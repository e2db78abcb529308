package podvm.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.invoke.MethodHandle;

/** Bindings of posix_spawn, apart because only the first start of a program needs them. */
final class NativeSpawn {
    static final MethodHandle SIGEMPTYSET = Native.plain("sigemptyset", JAVA_INT, ADDRESS);
    static final MethodHandle SIGFILLSET = Native.plain("sigfillset", JAVA_INT, ADDRESS);
    static final MethodHandle SPAWN =
            Native.plain(
                    "posix_spawn", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle ATTR_INIT = Native.plain("posix_spawnattr_init", JAVA_INT, ADDRESS);
    static final MethodHandle ATTR_DESTROY =
            Native.plain("posix_spawnattr_destroy", JAVA_INT, ADDRESS);
    static final MethodHandle ATTR_FLAGS =
            Native.plain("posix_spawnattr_setflags", JAVA_INT, ADDRESS, JAVA_SHORT);
    static final MethodHandle ATTR_MASK =
            Native.plain("posix_spawnattr_setsigmask", JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle ATTR_DEFAULT =
            Native.plain("posix_spawnattr_setsigdefault", JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle ACTIONS_INIT =
            Native.plain("posix_spawn_file_actions_init", JAVA_INT, ADDRESS);
    static final MethodHandle ACTIONS_DESTROY =
            Native.plain("posix_spawn_file_actions_destroy", JAVA_INT, ADDRESS);
    static final MethodHandle ACTIONS_DUP2 =
            Native.plain("posix_spawn_file_actions_adddup2", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    static final MethodHandle ACTIONS_CHDIR =
            Native.plain("posix_spawn_file_actions_addchdir_np", JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle ACTIONS_CLOSEFROM =
            Native.plain("posix_spawn_file_actions_addclosefrom_np", JAVA_INT, ADDRESS, JAVA_INT);

    static final MethodHandle KILL = Native.errno("kill", JAVA_INT, JAVA_INT, JAVA_INT);

    private NativeSpawn() {}
}
