package podvm.engine;

/**
 * A process of a container, as the guest's kernel tells of it.
 *
 * @param pid as the container's own processes see it
 * @param uid of the container's users
 * @param state one letter, as in proc(5): "R", "S", "Z"
 * @param cpuMillis that it has used since its start
 * @param command its arguments; in brackets its name where it has none
 */
public record GuestProcess(
        ContainerId container,
        long pid,
        long parent,
        long uid,
        String state,
        long cpuMillis,
        long residentBytes,
        String command) {}
