package podvm.image;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.CheckedBlob;
import podvm.image.registry.Repository;

/** What a registry's repository holds. */
record RegistryContents(Repository repository) implements ManifestWalk.Contents {
    @Override
    public InputStream manifest(Descriptor descriptor, Deadline deadline)
            throws PodException, InterruptedException {
        var bytes = repository.root(descriptor.digest(), deadline).bytes();
        return new CheckedBlob(
                new ByteArrayInputStream(bytes), descriptor.digest(), descriptor.size());
    }

    @Override
    public InputStream blob(Descriptor descriptor, Deadline deadline)
            throws PodException, InterruptedException {
        return repository.blob(descriptor.digest(), descriptor.size(), deadline);
    }
}
