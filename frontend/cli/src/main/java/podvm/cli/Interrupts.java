package podvm.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/**
 * Signals of the terminal. The JDK's class for them, in module jdk.unsupported, can only be reached
 * by its name, since the compiler does not let it pass without a warning.
 */
final class Interrupts {
    private Interrupts() {}

    /** Ends with the handling of a signal. */
    @FunctionalInterface
    interface Handler extends AutoCloseable {
        @Override
        void close();
    }

    /** Calls the action at each signal, such as "INT" or "WINCH", until closed. */
    static Handler on(String signal, Runnable action) {
        try {
            var type = Class.forName("sun.misc.Signal");
            var handlerType = Class.forName("sun.misc.SignalHandler");
            var handle = type.getMethod("handle", type, handlerType);
            var number = type.getConstructor(String.class).newInstance(signal);
            var handler =
                    Proxy.newProxyInstance(
                            Interrupts.class.getClassLoader(),
                            new Class<?>[] {handlerType},
                            (proxy, method, arguments) ->
                                    answer(proxy, method.getName(), arguments, action));
            var before = handle.invoke(null, number, handler);
            return () -> restore(() -> handle.invoke(null, number, before));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JDK has no signals", e);
        }
    }

    private static @Nullable Object answer(
            Object proxy, String method, Object[] arguments, Runnable action) {
        return switch (method) {
            case "handle" -> {
                action.run();
                yield null;
            }
            case "equals" ->
                    System.identityHashCode(proxy) == System.identityHashCode(arguments[0]);
            case "hashCode" -> System.identityHashCode(proxy);
            default -> "Interrupts";
        };
    }

    @FunctionalInterface
    private interface Restoring {
        void run() throws IllegalAccessException, InvocationTargetException;
    }

    private static void restore(Restoring restoring) {
        try {
            restoring.run();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot restore a signal's handler", e);
        }
    }
}
