package podvm.engine.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A log file and those that had its name before: the kubelet calls them NAME.TIME and NAME.TIME.gz.
 */
record RenamedFiles(Path newest) implements LogSuccession {
    @Override
    public Optional<Path> after(Optional<Opened> before) throws IOException {
        var files = list();
        if (before.isEmpty()) {
            return files.stream().findFirst();
        }
        int place = place(before.get(), files);
        return place >= 0
                ? files.stream().skip(place + 1L).findFirst()
                : files.stream()
                        .filter(file -> !file.toString().endsWith(Opened.COMPRESSED))
                        .findFirst();
    }

    private static int place(Opened one, List<Path> files) throws IOException {
        for (int i = 0; i < files.size(); i++) {
            if (one.is(files.get(i))) {
                return i;
            }
        }
        return -1;
    }

    /** One that is not there any more was compressed or deleted, with some of its successors. */
    @Override
    public boolean isGap(Opened before, Path next) throws IOException {
        return place(before, list()) < 0;
    }

    @Override
    public boolean isBefore(Optional<Opened> current, Path other) {
        return false;
    }

    /** Oldest first. */
    private List<Path> list() throws IOException {
        var all = new ArrayList<Path>();
        var directory = newest.toAbsolutePath().getParent();
        if (directory != null) {
            var before = newest.getFileName() + ".";
            all.addAll(LogFiles.list(directory, name -> isOlder(name, before)));
        }
        if (Files.exists(newest)) {
            all.add(newest);
        }
        return all;
    }

    /** A file that is being compressed has a name of its own until it is whole. */
    private static boolean isOlder(String name, String before) {
        return name.startsWith(before)
                && name.length() > before.length()
                && Character.isDigit(name.charAt(before.length()))
                && !name.endsWith(".tmp");
    }
}
