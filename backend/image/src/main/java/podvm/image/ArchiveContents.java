package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.CheckedBlob;

/** The blobs of an OCI layout (OCI image specification, "Image Layout"). */
record ArchiveContents(ArchiveFile archive) implements ManifestWalk.Contents {
    static String path(Descriptor descriptor) {
        return "blobs/sha256/" + descriptor.digest().hex();
    }

    @Override
    public InputStream manifest(Descriptor descriptor, Deadline deadline)
            throws IOException, PodException {
        return checked(descriptor);
    }

    @Override
    public InputStream blob(Descriptor descriptor, Deadline deadline)
            throws IOException, PodException {
        return checked(descriptor);
    }

    private InputStream checked(Descriptor descriptor) throws IOException, PodException {
        return new CheckedBlob(
                archive.open(path(descriptor)), descriptor.digest(), descriptor.size());
    }
}
