package podvm.engine.seccomp;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The system calls of one architecture by name.
 *
 * @param profileName as profiles call it
 * @param audit its number in linux/audit.h, by which a filter knows it
 */
record SystemCalls(String profileName, int audit, Map<String, Integer> numbers) {
    private static final int COLUMN_AMD64 = 1;
    private static final int COLUMN_386 = 2;
    private static final int COLUMN_ARM64 = 3;

    /** The guest's own architecture, which is this machine's, first; then what it runs besides. */
    static List<SystemCalls> of(String machine) {
        return switch (machine) {
            case "amd64", "x86_64" ->
                    List.of(
                            read("SCMP_ARCH_X86_64", 0xc000_003e, COLUMN_AMD64),
                            read("SCMP_ARCH_X86", 0x4000_0003, COLUMN_386));
            case "aarch64" -> List.of(read("SCMP_ARCH_AARCH64", 0xc000_00b7, COLUMN_ARM64));
            default -> throw new IllegalArgumentException("no system calls known of " + machine);
        };
    }

    private static SystemCalls read(String profileName, int audit, int column) {
        var numbers = new HashMap<String, Integer>();
        try (var table = SystemCalls.class.getResourceAsStream("calls.txt")) {
            if (table == null) {
                throw new IllegalStateException("calls.txt is not in the jar");
            }
            new String(table.readAllBytes(), UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" "))
                    .filter(words -> !words[column].equals("-"))
                    .forEach(words -> numbers.put(words[0], Integer.valueOf(words[column])));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new SystemCalls(profileName, audit, Map.copyOf(numbers));
    }

    OptionalInt number(String name) {
        var number = numbers.get(name);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    /** Numbers that some call has, from the lowest. */
    int[] known() {
        return Arrays.stream(numbers.values().toArray(Integer[]::new))
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }
}
