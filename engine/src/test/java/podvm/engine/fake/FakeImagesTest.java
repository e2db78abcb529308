package podvm.engine.fake;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import podvm.engine.Image;
import podvm.engine.Images;

class FakeImagesTest extends ImagesContract {
    private final FakeImages images = new FakeImages();

    @BeforeEach
    void empty() throws Exception {
        images.remove("image");
    }

    @Override
    protected Images images() {
        return images;
    }

    @Override
    protected Image add(String name) {
        return images.put(name, FakeImages.config(List.of(), List.of("true")));
    }
}
