package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Reads {"Width":80,"Height":24} objects from a stream that may cut them anywhere. */
final class TerminalSizes {
    private static final int LONGEST = 4096;
    private static final Pattern OBJECT = Pattern.compile("\\{[^{}]*}");
    private static final Pattern WIDTH = Pattern.compile("\"Width\"\\s*:\\s*([0-9]{1,5})\\b");
    private static final Pattern HEIGHT = Pattern.compile("\"Height\"\\s*:\\s*([0-9]{1,5})\\b");

    record Size(int columns, int rows) {}

    private String rest = "";

    /** Objects that are complete now and say a size; others are skipped. */
    List<Size> read(byte[] data) {
        var text = rest + new String(data, ISO_8859_1);
        var sizes = new ArrayList<Size>();
        var objects = OBJECT.matcher(text);
        int end = 0;
        while (objects.find()) {
            end = objects.end();
            var width = WIDTH.matcher(objects.group());
            var height = HEIGHT.matcher(objects.group());
            if (width.find() && height.find()) {
                sizes.add(
                        new Size(
                                Integer.parseInt(width.group(1)),
                                Integer.parseInt(height.group(1))));
            }
        }
        rest = text.substring(end);
        if (rest.length() > LONGEST) {
            rest = "";
        }
        return sizes;
    }
}
