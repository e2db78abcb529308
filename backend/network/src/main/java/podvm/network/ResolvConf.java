package podvm.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** The host's resolver configuration (resolv.conf(5)). What it lacks is empty. */
public record ResolvConf(
        List<String> nameservers, List<String> searchDomains, List<String> options) {
    /** What the resolver itself takes. */
    private static final int MOST_DOMAINS = 32;

    private static final int MOST_SERVERS = 3;

    /** Of a host whose own file names only its caching server, which no pod can reach. */
    private static final Path BEHIND_SYSTEMD = Path.of("/run/systemd/resolve/resolv.conf");

    /** A host without the file has an empty one. */
    public static ResolvConf read(Path file) throws PodException {
        try {
            return parse(Files.readString(file));
        } catch (NoSuchFileException _) {
            return parse("");
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read " + file + ": " + e, "", e);
        }
    }

    /** As a pod can use it, which has a loopback of its own. */
    public static ResolvConf reachable(Path file) throws PodException {
        var own = read(file);
        var some = own.nameservers().stream().anyMatch(ResolvConf::reachable);
        var all = some || own.nameservers().isEmpty() ? own : read(BEHIND_SYSTEMD);
        return new ResolvConf(
                all.nameservers().stream().filter(ResolvConf::reachable).toList(),
                all.searchDomains(),
                all.options());
    }

    private static boolean reachable(String server) {
        return !server.startsWith("127.") && !server.equals("::1");
    }

    /** The last "search" or "domain" line counts. */
    static ResolvConf parse(String text) {
        var servers = new ArrayList<String>();
        var domains = List.<String>of();
        var options = new ArrayList<String>();
        for (var line : text.lines().toList()) {
            var words = List.of(line.strip().split("[ \t]+"));
            var rest = words.subList(1, words.size());
            switch (words.getFirst()) {
                case "nameserver" -> servers.addAll(valid(rest, "[0-9A-Fa-f.:%a-z]{2,64}", 1));
                case "search", "domain" ->
                        domains =
                                valid(rest, "[A-Za-z0-9._-]{1,253}", MOST_DOMAINS).stream()
                                        .filter(domain -> !domain.equals("."))
                                        .toList();
                case "options" -> options.addAll(valid(rest, "[A-Za-z0-9:_-]{1,64}", MOST_DOMAINS));
                default -> {}
            }
        }
        return new ResolvConf(
                servers.stream().limit(MOST_SERVERS).toList(), domains, List.copyOf(options));
    }

    private static List<String> valid(List<String> words, String form, int most) {
        return words.stream().filter(word -> word.matches(form)).limit(most).toList();
    }
}
