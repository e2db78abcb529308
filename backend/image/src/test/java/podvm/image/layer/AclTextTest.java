package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;
import podvm.image.Layers;
import podvm.image.TarBytes;

class AclTextTest {
    /** As getfattr shows what setfacl -m u:4242:r,g:7:rwx makes of a file of mode 0644. */
    private static final String KERNELS =
            "02000000"
                    + "01000600ffffffff"
                    + "0200040092100000"
                    + "04000400ffffffff"
                    + "0800070007000000"
                    + "10000700ffffffff"
                    + "20000400ffffffff";

    private static String hex(String text) throws Exception {
        return HexFormat.of().formatHex(AclText.value(text).getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void allFormsOfTheTextMeanTheSame() throws Exception {
        for (var text :
                List.of(
                        "user::rw-\nuser:4242:r--\ngroup::r--\ngroup:7:rwx\nmask::rwx\nother::r--\n",
                        "o::r--,m::rwx,g:7:rwx,g::r--,u:4242:r--,u::rw-",
                        "user::rw-,user:joe:r--:4242,group::r--,group:staff:rwx:7,mask:rwx,other:r--",
                        "# file: x\nuser::rw-\nuser:4242:r--\t#effective:r--\ngroup::r--\n"
                                + "group:7:rwx\nmask::rwx\nother::r--")) {
            assertThat(hex(text)).as(text).isEqualTo(KERNELS);
        }
    }

    @Test
    void rootIsTheOnlyNameThatIsKnown() throws Exception {
        assertThat(hex("user::r--,user:root:r--,group::r--,mask::r--,other::r--"))
                .contains("0200040000000000");
        var tar =
                new TarBytes()
                        .pax(
                                "SCHILY.acl.access",
                                "user::r--,user:joe:r--,group::r--,mask::r--,other::r--")
                        .file("etc/secret", "x");
        assertThatThrownBy(() -> Layers.read(tar))
                .isInstanceOf(PodException.class)
                .hasMessageContainingAll("'etc/secret'", "user:joe:r--", "no number");
    }

    @Test
    void whatIsNoListIsRefused() {
        for (var text :
                List.of(
                        "",
                        "user::rw-",
                        "user::rw-,group::r--,other::rwz",
                        "user::rw-,group::r--,other::r--,other::r--",
                        "user::rw-,user:7:r--,group::r--,other::r--",
                        "user::rw-,user:4294967295:r--,group::r--,mask::r--,other::r--",
                        "everyone::rw-,user::rw-,group::r--,other::r--",
                        "user::rw-,group::r--,other::r--,user:7:r--,".repeat(4000))) {
            assertThatThrownBy(() -> AclText.value(text)).as(text).hasMessageContaining("its ACL");
        }
    }
}
