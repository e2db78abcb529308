package podvm.cli.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.HashMap;
import java.util.Map;

/**
 * Reads a header block. We allow no dynamic table, so that a block stands for itself; its size
 * bounds what it can become.
 */
final class HeaderReader {
    /** RFC 7541, Appendix A, as "name|value". */
    private static final String[] STATIC = {
        ":authority|",
        ":method|GET",
        ":method|POST",
        ":path|/",
        ":path|/index.html",
        ":scheme|http",
        ":scheme|https",
        ":status|200",
        ":status|204",
        ":status|206",
        ":status|304",
        ":status|400",
        ":status|404",
        ":status|500",
        "accept-charset|",
        "accept-encoding|gzip, deflate",
        "accept-language|",
        "accept-ranges|",
        "accept|",
        "access-control-allow-origin|",
        "age|",
        "allow|",
        "authorization|",
        "cache-control|",
        "content-disposition|",
        "content-encoding|",
        "content-language|",
        "content-length|",
        "content-location|",
        "content-range|",
        "content-type|",
        "cookie|",
        "date|",
        "etag|",
        "expect|",
        "expires|",
        "from|",
        "host|",
        "if-match|",
        "if-modified-since|",
        "if-none-match|",
        "if-range|",
        "if-unmodified-since|",
        "last-modified|",
        "link|",
        "location|",
        "max-forwards|",
        "proxy-authenticate|",
        "proxy-authorization|",
        "range|",
        "referer|",
        "refresh|",
        "retry-after|",
        "server|",
        "set-cookie|",
        "strict-transport-security|",
        "transfer-encoding|",
        "user-agent|",
        "vary|",
        "via|",
        "www-authenticate|"
    };

    private final byte[] block;
    private int at;

    private HeaderReader(byte[] block) {
        this.block = block;
    }

    /** Of a name that comes twice the last value counts. */
    static Map<String, String> read(byte[] block) throws WireException {
        var headers = new HashMap<String, String>();
        var reader = new HeaderReader(block);
        while (reader.at < block.length) {
            reader.field(headers);
        }
        return headers;
    }

    private void field(Map<String, String> headers) throws WireException {
        var first = block[at] & 0xff;
        if (first >= 0x80) {
            var entry = entry(integer(7));
            var bar = entry.indexOf('|');
            headers.put(entry.substring(0, bar), entry.substring(bar + 1));
        } else if (first >= 0x40) {
            // to be kept in the dynamic table: of size 0, it keeps nothing
            literal(6, headers);
        } else if (first >= 0x20) {
            if (integer(5) != 0) {
                throw new WireException("the server wants a header table that we did not offer");
            }
        } else {
            literal(4, headers);
        }
    }

    private void literal(int prefix, Map<String, String> headers) throws WireException {
        var index = integer(prefix);
        var name = index == 0 ? string() : entry(index);
        var bar = index == 0 ? name.length() : name.indexOf('|');
        headers.put(name.substring(0, bar), string());
    }

    private static String entry(int index) throws WireException {
        if (index < 1 || index > STATIC.length) {
            throw new WireException("a header refers to entry " + index + ", which does not exist");
        }
        return STATIC[index - 1];
    }

    private String string() throws WireException {
        var huffman = (octet() & 0x80) != 0;
        at--;
        var length = integer(7);
        if (length > block.length - at) {
            throw new WireException("a header is longer than its block");
        }
        var from = at;
        at += length;
        return huffman
                ? new String(Huffman.decode(block, from, length), ISO_8859_1)
                : new String(block, from, length, ISO_8859_1);
    }

    private int integer(int prefix) throws WireException {
        var mask = (1 << prefix) - 1;
        var value = octet() & mask;
        if (value < mask) {
            return value;
        }
        for (var shift = 0; shift <= 21; shift += 7) {
            var next = octet();
            value += (next & 0x7f) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw new WireException("a header's number is too large");
    }

    private int octet() throws WireException {
        if (at == block.length) {
            throw new WireException("a header block ends too early");
        }
        return block[at++] & 0xff;
    }
}
