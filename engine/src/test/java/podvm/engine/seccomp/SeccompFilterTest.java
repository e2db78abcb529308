package podvm.engine.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.seccomp.FilterMachine.ALLOW;
import static podvm.engine.seccomp.FilterMachine.AMD64;
import static podvm.engine.seccomp.FilterMachine.ARM64;
import static podvm.engine.seccomp.FilterMachine.ERRNO;
import static podvm.engine.seccomp.FilterMachine.I386;
import static podvm.engine.seccomp.FilterMachine.KILL;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import podvm.engine.PodException;
import podvm.engine.seccomp.SeccompProfile.Action;
import podvm.engine.seccomp.SeccompProfile.Comparison;
import podvm.engine.seccomp.SeccompProfile.Condition;
import podvm.engine.seccomp.SeccompProfile.Rule;
import podvm.engine.seccomp.SeccompProfile.What;

class SeccompFilterTest {
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;
    private static final Action REFUSE = errno(EPERM);
    private static final SystemCalls CALLS = SystemCalls.of("amd64").getFirst();

    private static Action errno(int number) {
        return new Action(What.ERRNO, number);
    }

    private static Rule rule(Action action, String... names) {
        return new Rule(List.of(names), action, List.of(), Set.of(), Set.of());
    }

    private static Rule conditional(Action action, String name, Condition... conditions) {
        return new Rule(List.of(name), action, List.of(conditions), Set.of(), Set.of());
    }

    private static Condition when(int argument, Comparison comparison, long value) {
        return new Condition(argument, comparison, value, 0);
    }

    private static FilterMachine filter(SeccompProfile profile, String... capabilities)
            throws PodException {
        return new FilterMachine(SeccompFilter.compile(profile, Set.of(capabilities), "amd64"));
    }

    private static FilterMachine filter(Action otherwise, Rule... rules) throws PodException {
        return filter(new SeccompProfile(otherwise, List.of(), List.of(rules)));
    }

    private static int ask(FilterMachine filter, String call, long... arguments) {
        return filter.run(AMD64, CALLS.number(call).orElseThrow(), arguments);
    }

    @Test
    void oneCallIsRefusedAndAllOthersAreAllowed() throws Exception {
        var filter = filter(Action.ALLOW, rule(REFUSE, "chmod", "fchmodat", "no_such_call"));
        for (var call : CALLS.numbers().keySet()) {
            boolean refused = call.equals("chmod") || call.equals("fchmodat");
            assertThat(ask(filter, call)).as(call).isEqualTo(refused ? ERRNO | EPERM : ALLOW);
        }
        // younger than all that is known
        assertThat(filter.run(AMD64, 5000)).isEqualTo(ALLOW);
    }

    @Test
    void whatAnAllowListDoesNotNameIsRefusedAndYoungerCallsAreNotImplemented() throws Exception {
        var filter = filter(REFUSE, rule(Action.ALLOW, "read", "write", "openat2"));
        assertThat(ask(filter, "read")).isEqualTo(ALLOW);
        assertThat(ask(filter, "openat2")).isEqualTo(ALLOW);
        assertThat(ask(filter, "mount")).isEqualTo(ERRNO | EPERM);
        assertThat(ask(filter, "faccessat2")).isEqualTo(ERRNO | ENOSYS);
        assertThat(filter.run(AMD64, 5000)).isEqualTo(ERRNO | ENOSYS);
    }

    @Test
    void everyActionHasItsVerdict() throws Exception {
        assertThat(ask(filter(new Action(What.KILL_PROCESS, 0)), "read")).isEqualTo(0x8000_0000);
        assertThat(ask(filter(Action.KILL), "read")).isZero();
        assertThat(ask(filter(new Action(What.TRAP, 0)), "read")).isEqualTo(0x0003_0000);
        assertThat(ask(filter(errno(99)), "read")).isEqualTo(ERRNO | 99);
        assertThat(ask(filter(new Action(What.TRACE, 7)), "read")).isEqualTo(0x7ff0_0007);
        assertThat(ask(filter(new Action(What.LOG, 0)), "read")).isEqualTo(0x7ffc_0000);
        assertThat(ask(filter(Action.ALLOW), "read")).isEqualTo(ALLOW);
    }

    @Test
    void architecturesThatAreNotNamedAreKilled() throws Exception {
        var rules = List.of(rule(REFUSE, "chmod"));
        var own = filter(new SeccompProfile(Action.ALLOW, List.of("SCMP_ARCH_X86_64"), rules));
        var both = filter(new SeccompProfile(Action.ALLOW, List.of("SCMP_ARCH_X86"), rules));
        int chmod32 = SystemCalls.of("amd64").get(1).number("chmod").orElseThrow();
        assertThat(own.run(I386, chmod32)).isEqualTo(KILL);
        assertThat(both.run(I386, chmod32)).isEqualTo(ERRNO | EPERM);
        assertThat(both.run(I386, chmod32 + 1)).isEqualTo(ALLOW);
        assertThat(both.run(AMD64, 0x4000_0000)).as("x32").isEqualTo(KILL);
        assertThat(both.run(ARM64, 0)).isEqualTo(KILL);
    }

    @Test
    void aGuestOfAnotherArchitectureHasItsOwnNumbers() throws Exception {
        var profile = new SeccompProfile(Action.ALLOW, List.of(), List.of(rule(REFUSE, "mount")));
        var filter = new FilterMachine(SeccompFilter.compile(profile, Set.of(), "aarch64"));
        assertThat(filter.run(ARM64, 40)).isEqualTo(ERRNO | EPERM);
        assertThat(filter.run(ARM64, 41)).isEqualTo(ALLOW);
        assertThat(filter.run(AMD64, 41)).isEqualTo(KILL);
    }

    @Test
    void rulesCountOnlyWithTheirCapabilities() throws Exception {
        var needs =
                new Rule(
                        List.of("mount"),
                        Action.ALLOW,
                        List.of(),
                        Set.of("CAP_SYS_ADMIN"),
                        Set.of());
        var forbids =
                new Rule(
                        List.of("clone"),
                        Action.ALLOW,
                        List.of(),
                        Set.of(),
                        Set.of("CAP_SYS_ADMIN"));
        var profile = new SeccompProfile(REFUSE, List.of(), List.of(needs, forbids));
        var without = filter(profile, "CAP_CHOWN");
        var with = filter(profile, "CAP_CHOWN", "CAP_SYS_ADMIN");
        assertThat(ask(without, "mount")).isEqualTo(ERRNO | EPERM);
        assertThat(ask(without, "clone")).isEqualTo(ALLOW);
        assertThat(ask(with, "mount")).isEqualTo(ALLOW);
        assertThat(ask(with, "clone")).isEqualTo(ERRNO | EPERM);
    }

    @Test
    void aRuleWithoutConditionsOutweighsThoseWithConditions() throws Exception {
        var some = conditional(errno(5), "chmod", when(1, Comparison.EQUAL, 0777));
        for (var rules :
                List.of(
                        List.of(some, rule(REFUSE, "chmod")),
                        List.of(rule(REFUSE, "chmod"), some))) {
            var filter = filter(new SeccompProfile(Action.ALLOW, List.of(), rules));
            assertThat(ask(filter, "chmod", 0, 0777)).isEqualTo(ERRNO | EPERM);
            assertThat(ask(filter, "chmod", 0, 0)).isEqualTo(ERRNO | EPERM);
        }
    }

    @Test
    void severalRulesForACallAreAlternativesInTheirOrder() throws Exception {
        var filter =
                filter(
                        REFUSE,
                        conditional(Action.ALLOW, "personality", when(0, Comparison.EQUAL, 0)),
                        conditional(Action.ALLOW, "personality", when(0, Comparison.EQUAL, 8)),
                        conditional(errno(7), "personality", when(0, Comparison.LESS, 9)));
        assertThat(ask(filter, "personality", 0)).isEqualTo(ALLOW);
        assertThat(ask(filter, "personality", 8)).isEqualTo(ALLOW);
        assertThat(ask(filter, "personality", 1)).isEqualTo(ERRNO | 7);
        assertThat(ask(filter, "personality", 9)).isEqualTo(ERRNO | EPERM);
    }

    @Test
    void allConditionsOfARuleMustHoldButThoseOfOneArgumentAreAlternatives() throws Exception {
        var both =
                filter(
                        Action.ALLOW,
                        conditional(
                                REFUSE,
                                "socket",
                                when(0, Comparison.EQUAL, 40),
                                when(1, Comparison.NOT_EQUAL, 1)));
        assertThat(ask(both, "socket", 40, 2)).isEqualTo(ERRNO | EPERM);
        assertThat(ask(both, "socket", 40, 1)).isEqualTo(ALLOW);
        assertThat(ask(both, "socket", 2, 2)).isEqualTo(ALLOW);

        var either =
                filter(
                        Action.ALLOW,
                        conditional(
                                REFUSE,
                                "socket",
                                when(0, Comparison.EQUAL, 40),
                                when(0, Comparison.EQUAL, 16)));
        assertThat(ask(either, "socket", 40)).isEqualTo(ERRNO | EPERM);
        assertThat(ask(either, "socket", 16)).isEqualTo(ERRNO | EPERM);
        assertThat(ask(either, "socket", 2)).isEqualTo(ALLOW);
    }

    private static boolean holds(Condition condition, long argument) {
        int order = Long.compareUnsigned(argument, condition.value());
        return switch (condition.comparison()) {
            case NOT_EQUAL -> order != 0;
            case LESS -> order < 0;
            case LESS_OR_EQUAL -> order <= 0;
            case EQUAL -> order == 0;
            case GREATER_OR_EQUAL -> order >= 0;
            case GREATER -> order > 0;
            case MASKED_EQUAL ->
                    (argument & condition.value()) == (condition.masked() & condition.value());
        };
    }

    /** Numbers that differ in either half, or by one. */
    private static List<Long> around(long value) {
        var near = new ArrayList<>(List.of(0L, 1L, -1L, Long.MIN_VALUE, Long.MAX_VALUE));
        for (long step : new long[] {0, 1, -1, 1L << 31, 1L << 32, -(1L << 32), (1L << 32) + 1}) {
            near.add(value + step);
            near.add(~(value + step));
        }
        return near;
    }

    @ParameterizedTest
    @EnumSource
    void argumentsAreComparedAsNumbersOf64Bits(Comparison comparison) throws Exception {
        var values = List.of(0L, 1L, 0x7e02_0000L, 0xffff_ffffL, 1L << 32, 0x1_0000_0001L, -1L);
        for (long value : values) {
            for (long masked : List.of(0L, value, value & 0x1_0000_0001L)) {
                for (int argument : new int[] {0, 5}) {
                    var condition = new Condition(argument, comparison, value, masked);
                    var filter = filter(Action.ALLOW, conditional(REFUSE, "futex", condition));
                    for (long given : around(value)) {
                        var arguments = new long[6];
                        arguments[argument] = given;
                        assertThat(ask(filter, "futex", arguments))
                                .as("%x %s", given, condition)
                                .isEqualTo(holds(condition, given) ? ERRNO | EPERM : ALLOW);
                    }
                }
            }
        }
    }

    /** Any profile against what its words say, call by call. */
    @Test
    void programsSayWhatTheirProfilesSay() throws Exception {
        var random = new Random(7);
        var names = CALLS.numbers().keySet().stream().sorted().toList();
        for (int round = 0; round < 50; round++) {
            var rules = new ArrayList<Rule>();
            for (int i = random.nextInt(200); i > 0; i--) {
                var name = names.get(random.nextInt(names.size()));
                var action = random.nextBoolean() ? errno(random.nextInt(3)) : Action.ALLOW;
                rules.add(
                        random.nextInt(3) > 0
                                ? rule(action, name)
                                : conditional(
                                        action,
                                        name,
                                        when(0, Comparison.GREATER, random.nextInt(3)),
                                        when(3, Comparison.NOT_EQUAL, random.nextInt(3))));
            }
            var profile = new SeccompProfile(Action.ALLOW, List.of(), rules);
            var filter = filter(profile);
            for (var name : names) {
                long first = random.nextInt(4);
                long fourth = random.nextInt(3);
                assertThat(ask(filter, name, first, 0, 0, fourth))
                        .as(name)
                        .isEqualTo(expected(profile, name, first, fourth));
            }
        }
    }

    private static int expected(SeccompProfile profile, String name, long first, long fourth) {
        int conditional = ALLOW;
        for (var rule : profile.rules().reversed()) {
            boolean speaks = rule.names().contains(name) && rule.action().what() == What.ERRNO;
            if (speaks && !rule.conditions().isEmpty()) {
                boolean holds =
                        holds(rule.conditions().get(0), first)
                                && holds(rule.conditions().get(1), fourth);
                conditional = holds ? ERRNO | rule.action().number() : conditional;
            }
        }
        return profile.rules().stream()
                .filter(rule -> rule.names().contains(name) && rule.conditions().isEmpty())
                .filter(rule -> rule.action().what() == What.ERRNO)
                .findFirst()
                .map(rule -> ERRNO | rule.action().number())
                .orElse(conditional);
    }

    @Test
    void aProgramThatNoKernelTakesIsRefused() {
        var rules = new ArrayList<Rule>();
        for (int i = 0; i < 2000; i++) {
            rules.add(conditional(REFUSE, "futex", when(0, Comparison.EQUAL, i)));
        }
        var profile = new SeccompProfile(Action.ALLOW, List.of(), rules);
        assertThatThrownBy(() -> filter(profile))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("too long");
    }
}
