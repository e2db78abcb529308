package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Looks at the host when all other classes have ended. */
@Order(Integer.MAX_VALUE)
class NothingIsLeftBehindIT {
    @RegisterExtension static final Module module = new Module();

    private static final class Module implements BeforeAllCallback {
        private LeakCheck leaks = new LeakCheck(Path.of("/tmp/pv-"));

        @Override
        public void beforeAll(ExtensionContext context) {
            leaks = LeakCheck.ofModule(context);
        }
    }

    @Test
    void afterAllTestsTheHostIsAsItWasBefore() throws Exception {
        module.leaks.checkHost();
        try (var folders = Files.newDirectoryStream(Path.of("/tmp"), Node.PREFIX + "*")) {
            for (var folder : folders) {
                assertThat(Host.processesOf(folder)).isEmpty();
            }
        }
    }
}
