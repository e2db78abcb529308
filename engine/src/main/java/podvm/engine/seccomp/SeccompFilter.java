package podvm.engine.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.seccomp.SeccompProfile.Action;
import podvm.engine.seccomp.SeccompProfile.Condition;
import podvm.engine.seccomp.SeccompProfile.Rule;
import podvm.engine.seccomp.SeccompProfile.What;

/**
 * Makes the program that the guest's kernel runs for each system call of a container, with the
 * verdicts that runc and libseccomp give for the same profile:
 *
 * <ul>
 *   <li>names that nobody knows are left out, and so are rules that say what the default says;
 *   <li>a rule without conditions outweighs those with conditions for the same call; of several
 *       with conditions the first that holds counts;
 *   <li>calls of an architecture that the profile does not name are killed;
 *   <li>where the default is to refuse, calls that are younger than all that the profile names are
 *       "not implemented", so that programs fall back to older ones.
 * </ul>
 */
public final class SeccompFilter {
    // linux/seccomp.h
    private static final int NUMBER = 0;
    private static final int ARCHITECTURE = 4;

    private static final int X32 = 0x4000_0000;
    private static final int NOT_IMPLEMENTED = 0x0005_0000 | 38;

    /** BPF_MAXINSNS of linux/bpf_common.h. */
    private static final int LONGEST = 4096;

    private static final int BYTES = 8;

    private final SeccompProfile profile;
    private final Set<String> capabilities;

    private SeccompFilter(SeccompProfile profile, Set<String> capabilities) {
        this.profile = profile;
        this.capabilities = capabilities;
    }

    /**
     * The program for a guest on this machine, as an array of struct sock_filter.
     *
     * @param capabilities that the container has ("CAP_CHOWN")
     */
    public static byte[] compile(SeccompProfile profile, Collection<String> capabilities)
            throws PodException {
        return compile(profile, capabilities, System.getProperty("os.arch"));
    }

    static byte[] compile(SeccompProfile profile, Collection<String> capabilities, String machine)
            throws PodException {
        var program =
                new SeccompFilter(profile, new HashSet<>(capabilities))
                        .program(SystemCalls.of(machine));
        if (program.size() > LONGEST) {
            throw new PodException(
                    Kind.INVALID,
                    "the seccomp profile is too long: %d instructions, and a kernel takes %d"
                            .formatted(program.size(), LONGEST),
                    "give it fewer conditions");
        }
        var bytes = ByteBuffer.allocate(program.size() * BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (var one : program) {
            bytes.putShort((short) one.code())
                    .put((byte) one.whenTrue())
                    .put((byte) one.whenFalse())
                    .putInt(one.value());
        }
        return bytes.array();
    }

    private List<Instruction> program(List<SystemCalls> architectures) {
        var program = new ArrayList<Instruction>();
        program.add(Instruction.load(ARCHITECTURE));
        for (var calls : architectures) {
            boolean own = calls.equals(architectures.getFirst());
            if (own || profile.architectures().contains(calls.profileName())) {
                var part = part(calls, own && architectures.size() > 1);
                program.add(Instruction.when(Instruction.EQUAL, calls.audit(), 1, 0));
                program.add(Instruction.skip(part.size()));
                program.addAll(part);
            }
        }
        program.add(Instruction.end(verdict(Action.KILL)));
        return program;
    }

    /**
     * @param withX32 numbers from a high one on are those of an architecture that is never named
     */
    private List<Instruction> part(SystemCalls calls, boolean withX32) {
        var answers = answers(calls);
        var part = new ArrayList<Instruction>();
        part.add(Instruction.load(NUMBER));
        if (withX32) {
            part.add(Instruction.when(Instruction.AT_LEAST, X32, 0, 1));
            part.add(Instruction.end(verdict(Action.KILL)));
        }
        youngest(calls)
                .ifPresent(number -> {
                    part.add(Instruction.when(Instruction.GREATER, number, 0, 1));
                    part.add(Instruction.end(NOT_IMPLEMENTED));
                });
        part.addAll(search(segments(calls, answers)));
        return part;
    }

    /** The youngest call that the profile names; empty where calls are allowed by default. */
    private Optional<Integer> youngest(SystemCalls calls) {
        return switch (profile.defaultAction().what()) {
            case ALLOW, LOG, TRACE -> Optional.empty();
            case KILL_PROCESS, KILL_THREAD, TRAP, ERRNO ->
                    profile.rules().stream()
                            .flatMap(rule -> rule.names().stream())
                            .flatMapToInt(name -> calls.number(name).stream())
                            .boxed()
                            .max(Integer::compare);
        };
    }

    /** What becomes of a call: verdicts with conditions, then one without. */
    private record Answer(List<Conditional> conditional, int otherwise) {}

    private record Conditional(List<Condition> conditions, int verdict) {}

    private Map<Integer, Answer> answers(SystemCalls calls) {
        var unconditional = new HashMap<Integer, Integer>();
        var conditional = new HashMap<Integer, List<Conditional>>();
        for (var rule : profile.rules()) {
            if (!counts(rule)) {
                continue;
            }
            int verdict = verdict(rule.action());
            for (var name : rule.names()) {
                var number = calls.number(name);
                if (number.isEmpty()) {
                    continue;
                }
                if (rule.conditions().isEmpty()) {
                    unconditional.putIfAbsent(number.getAsInt(), verdict);
                } else {
                    conditional
                            .computeIfAbsent(number.getAsInt(), _ -> new ArrayList<>())
                            .addAll(conditional(rule, verdict));
                }
            }
        }
        var answers = new HashMap<Integer, Answer>();
        int otherwise = verdict(profile.defaultAction());
        conditional.forEach((number, some) -> answers.put(number, new Answer(some, otherwise)));
        unconditional.forEach((number, one) -> answers.put(number, new Answer(List.of(), one)));
        return answers;
    }

    private boolean counts(Rule rule) {
        return capabilities.containsAll(rule.needed())
                && rule.forbidden().stream().noneMatch(capabilities::contains)
                && verdict(rule.action()) != verdict(profile.defaultAction());
    }

    /** As runc has it: conditions are alternatives where an argument comes twice among them. */
    private static List<Conditional> conditional(Rule rule, int verdict) {
        var arguments = rule.conditions().stream().map(Condition::argument).distinct().count();
        if (arguments == rule.conditions().size()) {
            return List.of(new Conditional(rule.conditions(), verdict));
        }
        return rule.conditions().stream()
                .map(one -> new Conditional(List.of(one), verdict))
                .toList();
    }

    /** A run of numbers that are answered alike begins here. */
    private record Segment(int first, Answer answer) {}

    private List<Segment> segments(SystemCalls calls, Map<Integer, Answer> answers) {
        var unnamed = new Answer(List.of(), verdict(profile.defaultAction()));
        var segments = new ArrayList<>(List.of(new Segment(0, answers.getOrDefault(0, unnamed))));
        int end = calls.known()[calls.known().length - 1] + 1;
        for (int number = 1; number <= end; number++) {
            var answer = answers.getOrDefault(number, unnamed);
            if (!answer.equals(segments.getLast().answer())) {
                segments.add(new Segment(number, answer));
            }
        }
        return segments;
    }

    /** By halves: some ten comparisons a call, however many names a profile has. */
    private static List<Instruction> search(List<Segment> segments) {
        if (segments.size() == 1) {
            return leaf(segments.getFirst().answer());
        }
        int middle = segments.size() / 2;
        var low = search(segments.subList(0, middle));
        var high = search(segments.subList(middle, segments.size()));
        int first = segments.get(middle).first();
        var program = new ArrayList<Instruction>();
        if (low.size() <= 255) {
            program.add(Instruction.when(Instruction.AT_LEAST, first, low.size(), 0));
        } else {
            program.add(Instruction.when(Instruction.AT_LEAST, first, 0, 1));
            program.add(Instruction.skip(low.size()));
        }
        program.addAll(low);
        program.addAll(high);
        return program;
    }

    private static List<Instruction> leaf(Answer answer) {
        var leaf = new ArrayList<Instruction>();
        for (var one : answer.conditional()) {
            leaf.addAll(Conditions.block(one.conditions(), one.verdict()));
        }
        leaf.add(Instruction.end(answer.otherwise()));
        return leaf;
    }

    /** SECCOMP_RET_... of linux/seccomp.h. */
    private static int verdict(Action action) {
        int number = action.number() & 0xffff;
        return switch (action.what()) {
            case What.KILL_PROCESS -> 0x8000_0000;
            case What.KILL_THREAD -> 0;
            case What.TRAP -> 0x0003_0000;
            case What.ERRNO -> 0x0005_0000 | number;
            case What.TRACE -> 0x7ff0_0000 | number;
            case What.LOG -> 0x7ffc_0000;
            case What.ALLOW -> 0x7fff_0000;
        };
    }
}
