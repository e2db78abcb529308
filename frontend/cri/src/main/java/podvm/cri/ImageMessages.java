package podvm.cri;

import java.util.regex.Pattern;
import podvm.engine.Image;

/** Images as messages. */
final class ImageMessages {
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

    private ImageMessages() {}

    static podvm.proto.cri.v1.Image image(Image image) {
        var message =
                podvm.proto.cri.v1.Image.newBuilder()
                        .setId(image.id().toString())
                        .setSize(image.diskBytes());
        for (var name : image.names()) {
            if (name.contains("@")) {
                message.addRepoDigests(name);
            } else {
                message.addRepoTags(name);
            }
        }
        // the part before the group: a number, or a name that only the image can explain
        var user = image.config().user().split(":", 2)[0];
        if (NUMBER.matcher(user).matches()) {
            message.getUidBuilder().setValue(Long.parseLong(user));
        } else if (user.isEmpty()) {
            message.getUidBuilder().setValue(0);
        } else {
            message.setUsername(user);
        }
        message.getSpecBuilder().setImage(image.id().toString());
        return message.build();
    }
}
