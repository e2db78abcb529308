package podvm.cri;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.seccomp.SeccompProfile;
import podvm.engine.seccomp.SeccompProfile.Action;
import podvm.engine.seccomp.SeccompProfile.Comparison;
import podvm.engine.seccomp.SeccompProfile.Condition;
import podvm.engine.seccomp.SeccompProfile.Rule;
import podvm.engine.seccomp.SeccompProfile.What;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads seccomp profiles: those of the OCI runtime specification, and what the containers project
 * adds to them (archMap, includes and excludes, errors by name). What is in none of them is not
 * looked at, as elsewhere.
 */
final class SeccompProfiles {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String ACTION = "SCMP_ACT_";
    private static final String COMPARISON = "SCMP_CMP_";
    private static final int EPERM = 1;

    /** No guest has an older kernel. */
    private static final int[] KERNEL = {6, 1};

    private static final Map<String, Integer> ERRORS =
            Map.of(
                    "EPERM",
                    1,
                    "ENOENT",
                    2,
                    "EIO",
                    5,
                    "EAGAIN",
                    11,
                    "EACCES",
                    13,
                    "ENODEV",
                    19,
                    "EINVAL",
                    22,
                    "ENOSYS",
                    38,
                    "EAFNOSUPPORT",
                    97,
                    "EOPNOTSUPP",
                    95);

    private static final Map<String, List<String>> SUBARCHITECTURES =
            Map.of(
                    "amd64", List.of("amd64", "x86_64"),
                    "aarch64", List.of("arm64", "aarch64"));

    private final String file;

    private SeccompProfiles(String file) {
        this.file = file;
    }

    /**
     * @param file as errors name it
     */
    static SeccompProfile parse(String file, String text) throws PodException {
        var profiles = new SeccompProfiles(file);
        try {
            return profiles.profile(JSON.readTree(text));
        } catch (JacksonException e) {
            throw profiles.wrong("it is not JSON: " + e.getOriginalMessage());
        }
    }

    private SeccompProfile profile(JsonNode top) throws PodException {
        if (!top.isObject()) {
            throw wrong("it is no JSON object");
        }
        if (top.has("listenerPath")) {
            throw unsupported("listenerPath: nobody supervises calls of a machine from outside");
        }
        int errno = errno("default", top.path("defaultErrnoRet"), top.path("defaultErrno"));
        var architectures = new ArrayList<String>();
        for (var one : list("architectures", top)) {
            architectures.add(text("architectures", one));
        }
        for (var one : list("archMap", top)) {
            for (var more : list("subArchitectures", one)) {
                architectures.add(text("archMap.subArchitectures", more));
            }
        }
        var rules = new ArrayList<Rule>();
        for (var one : list("syscalls", top)) {
            if (holdsHere(one)) {
                rules.add(rule(one));
            }
        }
        return new SeccompProfile(
                action("defaultAction", top.path("defaultAction"), errno),
                List.copyOf(architectures),
                List.copyOf(rules));
    }

    private Rule rule(JsonNode rule) throws PodException {
        var names = new ArrayList<String>();
        for (var one : list("names", rule)) {
            names.add(text("syscalls.names", one));
        }
        if (rule.has("name")) {
            names.add(text("syscalls.name", rule.path("name")));
        }
        if (names.isEmpty()) {
            throw wrong("syscalls: an entry has no names");
        }
        int errno = errno("syscalls", rule.path("errnoRet"), rule.path("errno"));
        var conditions = new ArrayList<Condition>();
        for (var one : list("args", rule)) {
            conditions.add(condition(one));
        }
        return new Rule(
                List.copyOf(names),
                action("syscalls.action", rule.path("action"), errno),
                List.copyOf(conditions),
                capabilities(rule.path("includes")),
                capabilities(rule.path("excludes")));
    }

    private Set<String> capabilities(JsonNode filter) throws PodException {
        var capabilities = new TreeSet<String>();
        for (var one : list("caps", filter)) {
            capabilities.add(text("syscalls.caps", one));
        }
        return capabilities;
    }

    private boolean holdsHere(JsonNode rule) throws PodException {
        var includes = rule.path("includes");
        var excludes = rule.path("excludes");
        return (list("arches", includes).isEmpty() || namesThisMachine(includes))
                && !namesThisMachine(excludes)
                && (!includes.has("minKernel") || isKernelOf(includes))
                && !(excludes.has("minKernel") && isKernelOf(excludes));
    }

    private boolean namesThisMachine(JsonNode filter) throws PodException {
        var machine = System.getProperty("os.arch");
        var names = SUBARCHITECTURES.getOrDefault(machine, List.of(machine));
        for (var one : list("arches", filter)) {
            if (names.contains(text("syscalls.arches", one))) {
                return true;
            }
        }
        return false;
    }

    private boolean isKernelOf(JsonNode filter) throws PodException {
        var text = text("syscalls.minKernel", filter.path("minKernel"));
        if (!text.matches("\\d{1,4}\\.\\d{1,4}")) {
            throw wrong("syscalls.minKernel: not a kernel's version, as in 4.8: " + text);
        }
        var parts = text.split("\\.");
        int major = Integer.parseInt(parts[0]);
        return major < KERNEL[0] || (major == KERNEL[0] && Integer.parseInt(parts[1]) <= KERNEL[1]);
    }

    private Action action(String field, JsonNode node, int errno) throws PodException {
        var text = text(field, node);
        return switch (text.replaceFirst("^" + ACTION, "")) {
            case "KILL", "KILL_THREAD" -> Action.KILL;
            case "KILL_PROCESS" -> new Action(What.KILL_PROCESS, 0);
            case "TRAP" -> new Action(What.TRAP, 0);
            case "ERRNO" -> new Action(What.ERRNO, errno);
            case "TRACE" -> new Action(What.TRACE, errno);
            case "LOG" -> new Action(What.LOG, 0);
            case "ALLOW" -> Action.ALLOW;
            case "NOTIFY" ->
                    throw unsupported(
                            field + ": nobody supervises calls of a machine from outside: " + text);
            default -> throw wrong(field + ": no such action: '" + text + "'");
        };
    }

    private int errno(String where, JsonNode number, JsonNode name) throws PodException {
        if (number.isMissingNode() || number.isNull()) {
            if (!name.isString() || name.asString().isEmpty()) {
                return EPERM;
            }
            var known = ERRORS.get(name.asString());
            if (known == null) {
                throw wrong(where + ": use errnoRet for the error " + name.asString());
            }
            return known;
        }
        if (!number.isIntegralNumber() || !number.canConvertToInt() || number.asInt() < 0) {
            throw wrong(where + ": not the number of an error: " + number);
        }
        return Math.min(number.asInt(), 4095);
    }

    private Condition condition(JsonNode args) throws PodException {
        int index = args.path("index").asInt(-1);
        if (index < 0 || index > 5) {
            throw wrong("syscalls.args.index: a call has arguments 0 to 5: " + args.path("index"));
        }
        return new Condition(
                index,
                comparison(text("syscalls.args.op", args.path("op"))),
                number("value", args),
                number("valueTwo", args));
    }

    private Comparison comparison(String text) throws PodException {
        return switch (text.replaceFirst("^" + COMPARISON, "")) {
            case "NE" -> Comparison.NOT_EQUAL;
            case "LT" -> Comparison.LESS;
            case "LE" -> Comparison.LESS_OR_EQUAL;
            case "EQ" -> Comparison.EQUAL;
            case "GE" -> Comparison.GREATER_OR_EQUAL;
            case "GT" -> Comparison.GREATER;
            case "MASKED_EQ" -> Comparison.MASKED_EQUAL;
            default -> throw wrong("syscalls.args.op: no such comparison: '" + text + "'");
        };
    }

    /** Of 64 bits, without a sign; 0 where it is left out. */
    private long number(String field, JsonNode args) throws PodException {
        var node = args.path(field);
        if (node.isMissingNode()) {
            return 0;
        }
        if (node.isIntegralNumber()) {
            BigInteger value = node.bigIntegerValue();
            if (value.signum() >= 0 && value.bitLength() <= 64) {
                return value.longValue();
            }
        }
        throw wrong("syscalls.args." + field + ": not a number of 64 bits: " + node);
    }

    private List<JsonNode> list(String field, JsonNode object) throws PodException {
        var node = object.path(field);
        if (node.isMissingNode() || node.isNull()) {
            return List.of();
        }
        if (!node.isArray()) {
            throw wrong(field + ": not a list");
        }
        return List.copyOf(node.values());
    }

    private String text(String field, JsonNode node) throws PodException {
        if (!node.isString()) {
            throw wrong(field + (node.isMissingNode() ? ": missing" : ": not a text: " + node));
        }
        return node.asString();
    }

    private PodException wrong(String what) {
        return new PodException(
                Kind.INVALID,
                "the seccomp profile " + file + " cannot be used: " + what,
                "write it as the OCI runtime specification has it");
    }

    private PodException unsupported(String what) {
        return new PodException(
                Kind.UNSUPPORTED,
                "the seccomp profile " + file + " cannot be honoured: " + what,
                "");
    }
}
