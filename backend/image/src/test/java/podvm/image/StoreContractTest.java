package podvm.image;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.fake.ImagesContract;

class StoreContractTest extends ImagesContract {
    @TempDir Path directory;
    private ImageStore store;

    @BeforeEach
    void open() throws PodException {
        store = ImageStore.open(directory, Layers.OPTIONS);
    }

    @AfterEach
    void close() throws PodException {
        store.close();
    }

    @Override
    protected Images images() {
        return store;
    }

    @Override
    protected Image add(String name) throws Exception {
        var tar = new TarBytes().file("name", name).bytes();
        return store.load(new ByteArrayInputStream(tar), Optional.of(name), Progress.NONE)
                .getFirst();
    }
}
