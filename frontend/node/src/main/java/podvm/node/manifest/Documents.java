package podvm.node.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.composer.Composer;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** The YAML or JSON documents of a text; throws the parser's YamlEngineException where broken. */
final class Documents {
    static final int MOST_BYTES = 4 << 20;
    static final int MOST_DOCUMENTS = 1000;

    private Documents() {}

    /** Empty where the bytes are not UTF-8. */
    static Optional<String> decode(byte[] bytes) {
        try {
            var text = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return Optional.of(text.startsWith("\uFEFF") ? text.substring(1) : text);
        } catch (CharacterCodingException _) {
            return Optional.empty();
        }
    }

    static List<Node> read(String text, String source, Reading reading) {
        var settings =
                LoadSettings.builder()
                        .setLabel(source)
                        .setUseMarks(true)
                        .setSchema(new CoreSchema())
                        .setMaxAliasesForCollections(50)
                        .setAllowRecursiveKeys(false)
                        .setCodePointLimit(MOST_BYTES)
                        .build();
        var parser = new ParserImpl(settings, new StreamReader(settings, withoutTabs(text)));
        var composer = new Composer(settings, new BoundedParser(parser));
        var documents = new ArrayList<Node>();
        while (composer.hasNext()) {
            var node = composer.next();
            if (documents.size() == MOST_DOCUMENTS) {
                reading.problem(
                        node, "", "there are more than " + MOST_DOCUMENTS + " documents; split it");
                return documents;
            }
            if (!node.getTag().equals(Tag.NULL)) {
                documents.add(node);
            }
        }
        return documents;
    }

    /**
     * JSON may be indented with tabs, which the YAML scanner refuses; in its strings they cannot
     * stand.
     */
    private static String withoutTabs(String text) {
        return text.stripLeading().startsWith("{") ? text.replace('\t', ' ') : text;
    }
}
