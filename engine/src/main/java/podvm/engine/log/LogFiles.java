package podvm.engine.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The log files of one container, oldest first: {@code <attempt>.<part>.log}, both zero-padded so
 * that names sort by age. Rotation begins a new part and deletes the oldest; a file is never
 * renamed, so a reader can stay in one and then go on to the next.
 */
final class LogFiles {
    private static final Pattern NAME = Pattern.compile("(\\d{6})\\.(\\d{6})\\.log");

    private LogFiles() {}

    static Path name(Path directory, int attempt, int part) {
        return directory.resolve("%06d.%06d.log".formatted(attempt, part));
    }

    static int part(Path file) {
        var matcher = NAME.matcher(file.getFileName().toString());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a log file: " + file);
        }
        return Integer.parseInt(matcher.group(2));
    }

    /** Whether a part was between these two; attempts are not always without gap. */
    static boolean between(Path before, Path after) {
        int next = attempt(before) == attempt(after) ? part(before) + 1 : 0;
        return part(after) > next;
    }

    private static int attempt(Path file) {
        return Integer.parseInt(file.getFileName().toString().substring(0, 6));
    }

    /** Empty where the directory does not exist. */
    static List<Path> list(Path directory) throws IOException {
        return list(directory, name -> NAME.matcher(name).matches());
    }

    /** Likewise of other names, in their order. */
    static List<Path> list(Path directory, Predicate<String> names) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(file -> names.test(file.getFileName().toString()))
                    .sorted()
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    static List<Path> ofAttempt(Path directory, int attempt) throws IOException {
        var prefix = "%06d.".formatted(attempt);
        return list(directory).stream()
                .filter(file -> file.getFileName().toString().startsWith(prefix))
                .toList();
    }
}
