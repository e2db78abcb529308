package podvm.daemon;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Holds the arrows of ARCHITECTURE.md: calls go down, nothing goes sideways, only the daemon sees
 * everything.
 */
class ArchitectureTest {
    private static final String[] BACKENDS = {
        "podvm.image..",
        "podvm.volume..",
        "podvm.network..",
        "podvm.machine..",
        "podvm.agent..",
        "podvm.journal.."
    };

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages("podvm");

    @Test
    void theEngineKnowsTheJdkAlone() {
        classes()
                .that()
                .resideInAPackage("podvm.engine..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("podvm.engine..", "java..", "org.jspecify.annotations..")
                .check(CLASSES);
    }

    @Test
    void aBackendKnowsNoSiblingAndNothingAboveIt() {
        for (var backend : BACKENDS) {
            noClasses()
                    .that()
                    .resideInAPackage(backend)
                    .should()
                    .dependOnClassesThat(
                            resideInAnyPackage(BACKENDS)
                                    .and(not(resideInAPackage(backend)))
                                    .or(
                                            resideInAnyPackage(
                                                    "podvm.node..",
                                                    "podvm.cri..",
                                                    "podvm.cli..",
                                                    "podvm.daemon..")))
                    .check(CLASSES);
        }
    }

    @Test
    void frontendsKnowTheEngineAndTheWireOnly() {
        for (var frontend : List.of("podvm.node..", "podvm.cri..")) {
            classes()
                    .that()
                    .resideInAPackage(frontend)
                    .should()
                    .onlyDependOnClassesThat(
                            resideInAnyPackage(frontend, "podvm.engine..", "podvm.proto..")
                                    .or(not(resideInAPackage("podvm.."))))
                    .check(CLASSES);
        }
    }

    @Test
    void theCommandKnowsTheWireOnly() {
        classes()
                .that()
                .resideInAPackage("podvm.cli..")
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage("podvm.cli..", "podvm.proto..")
                                .or(not(resideInAPackage("podvm.."))))
                .check(CLASSES);
    }

    @Test
    void theKernelHasOneDoor() {
        noClasses()
                .that(resideInAPackage("podvm..").and(not(resideInAPackage("podvm.linux.."))))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        SlicesRuleDefinition.slices()
                .matching("podvm.(*)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }
}
