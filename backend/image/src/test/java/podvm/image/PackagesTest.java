package podvm.image;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Holds what package-info says of the packages' order. */
class PackagesTest {
    @Test
    void theStoreKnowsItsPartsAndTheseKnowNeitherItNorEachOther() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("store")
                .definedBy("podvm.image")
                .layer("registry")
                .definedBy("podvm.image.registry")
                .layer("trust")
                .definedBy("podvm.image.trust")
                .layer("layer")
                .definedBy("podvm.image.layer")
                .layer("export")
                .definedBy("podvm.image.export")
                .layer("content")
                .definedBy("podvm.image.content")
                .whereLayer("store")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("registry")
                .mayOnlyAccessLayers("content")
                .whereLayer("trust")
                .mayOnlyAccessLayers("content")
                .whereLayer("layer")
                .mayOnlyAccessLayers("content")
                .whereLayer("export")
                .mayOnlyAccessLayers("content")
                .whereLayer("content")
                .mayNotAccessAnyLayer()
                .check(
                        new ClassFileImporter()
                                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                                .importPackages("podvm.image"));
    }
}
