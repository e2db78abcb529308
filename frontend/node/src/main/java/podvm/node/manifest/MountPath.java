package podvm.node.manifest;

import java.util.List;

/** Checks of the paths in a manifest. */
final class MountPath {
    private MountPath() {}

    /** A relative path that stays below where it begins. */
    static boolean isInside(String path) {
        return !path.isEmpty() && !path.startsWith("/") && isPlain(path);
    }

    static boolean isAbsolute(String path) {
        return path.startsWith("/") && isPlain(path);
    }

    /** Two spellings of one directory become one. */
    static String normal(String path) {
        var normal = path.replaceAll("/(\\./)*+/*", "/");
        return normal.length() > 1 && normal.endsWith("/")
                ? normal.substring(0, normal.length() - 1)
                : normal;
    }

    private static boolean isPlain(String path) {
        return path.length() <= 4096
                && path.indexOf('\0') < 0
                && !List.of(path.split("/")).contains("..");
    }
}
