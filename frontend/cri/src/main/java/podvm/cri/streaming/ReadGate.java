package podvm.cri.streaming;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;

/**
 * Nothing is read while {@link Intake} holds the client back. Netty's SPDY decoder asks for more
 * whatever it has decoded, since it does not see that it handed frames on.
 */
final class ReadGate extends ChannelOutboundHandlerAdapter {
    @Override
    public void read(ChannelHandlerContext context) {
        if (context.channel().config().isAutoRead()) {
            context.read();
        }
    }
}
