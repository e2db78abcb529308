package podvm.cli.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.util.HashMap;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeaderReaderTest {
    @Test
    void whatAnotherEncoderWritesIsRead() throws Exception {
        for (var seed = 0; seed < 500; seed++) {
            var random = new Random(seed);
            var encoder =
                    new DefaultHttp2HeadersEncoder(
                            Http2HeadersEncoder.NEVER_SENSITIVE,
                            false,
                            16,
                            random.nextInt(2) * 512);
            encoder.configuration().maxHeaderTableSize(0);
            var headers = new DefaultHttp2Headers(false);
            var expected = new HashMap<String, String>();
            expected.put(":status", "200");
            for (var i = 0; i < random.nextInt(8); i++) {
                expected.put("name-" + i, text(random));
            }
            expected.put("content-type", "application/grpc");
            expected.forEach(headers::add);
            var block = Unpooled.buffer();
            encoder.encodeHeaders(1, headers, block);
            assertThat(HeaderReader.read(ByteBufUtil.getBytes(block))).isEqualTo(expected);
        }
    }

    private static String text(Random random) {
        var text = new StringBuilder();
        for (var i = random.nextInt(700); i > 0; i--) {
            text.append((char) random.nextInt(256));
        }
        return text.toString();
    }

    @Test
    void randomBlocksAreReadOrRefused() {
        var refused = 0;
        for (var seed = 0; seed < 20_000; seed++) {
            var random = new Random(seed);
            var block = new byte[random.nextInt(40)];
            random.nextBytes(block);
            try {
                HeaderReader.read(block);
            } catch (WireException _) {
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }

    @Test
    void aNumberTooLargeIsRefused() {
        assertThatThrownBy(() ->
                        HeaderReader.read(
                                new byte[] {
                                    (byte) 0xff,
                                    (byte) 0xff,
                                    (byte) 0xff,
                                    (byte) 0xff,
                                    (byte) 0xff,
                                    0x7f
                                }))
                .isInstanceOf(WireException.class);
    }
}
