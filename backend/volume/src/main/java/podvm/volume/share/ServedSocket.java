package podvm.volume.share;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import podvm.engine.Agent;
import podvm.engine.Deadline;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;
import podvm.engine.Shares.HostShare;
import podvm.engine.Shares.ShareSpec;
import podvm.linux.ErrnoException;
import podvm.linux.Place;

/**
 * A socket of the host: each program of the pod that connects gets a connection of its own to what
 * listens at the path at that time. Where nothing does, its connection ends at once.
 */
final class ServedSocket implements HostShare {
    /** At a time: a guest is not to take all descriptors of the daemon. */
    static final int MOST = 256;

    /** unix(7): 108 bytes with the last one zero. */
    static final int LONGEST_PATH = 107;

    private static final int PIECE = 32 << 10;
    private static final int PERMISSIONS = 0777;
    private static final int ROOT_ALONE = 0600;

    private final ShareSpec spec;
    private final Semaphore room = new Semaphore(MOST);
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    ServedSocket(ShareSpec spec) {
        this.spec = spec;
    }

    @Override
    public ShareSpec spec() {
        return spec;
    }

    /** It is found anew for each connection. */
    @Override
    public boolean current() {
        return true;
    }

    @Override
    public void mount(Agent agent, Deadline deadline) throws PodException, InterruptedException {
        agent.sockets().open(spec.name(), owner(spec.tree().root()), deadline);
    }

    private static GuestSockets.Owner owner(Path path) {
        try (var place = Place.at(path)) {
            var stat = place.stat();
            return new GuestSockets.Owner(stat.mode() & PERMISSIONS, stat.uid(), stat.gid());
        } catch (ErrnoException e) {
            // gone meanwhile: the guest has it already, or only root finds out
            return new GuestSockets.Owner(ROOT_ALONE, 0, 0);
        }
    }

    @Override
    public void answer(Agent agent) throws PodException, InterruptedException {
        answer(agent.sockets());
    }

    void answer(GuestSockets sockets) throws PodException, InterruptedException {
        while (!closed) {
            room.acquire();
            boolean taken = false;
            try {
                var caller = sockets.accept(spec.name());
                Thread.ofVirtual().name("socket-" + spec.name()).start(() -> serve(caller));
                taken = true;
            } catch (PodException e) {
                if (e.kind() == Kind.NOT_FOUND) {
                    return;
                }
                throw e;
            } finally {
                if (!taken) {
                    room.release();
                }
            }
        }
    }

    private void serve(GuestSockets.Caller caller) {
        try (caller;
                var host = SocketChannel.open(UnixDomainSocketAddress.of(spec.tree().root()))) {
            open.add(host);
            try (var guest = caller.connected()) {
                carry(host, guest);
            } finally {
                open.remove(host);
            }
        } catch (IOException | PodException e) {
            // nothing listens there, or one of the two has gone: the other sees the end
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        } finally {
            room.release();
        }
    }

    /** Each direction ends on its own. */
    private static void carry(SocketChannel host, PortConnection guest)
            throws InterruptedException {
        var back = Thread.ofVirtual().name("socket-back").start(() -> toGuest(host, guest));
        toHost(guest, host);
        // what the host's program sends still counts where it takes no more
        back.join();
    }

    /** Where the host's program takes no more, what comes is dropped until the guest's ends. */
    private static void toHost(PortConnection guest, SocketChannel host)
            throws InterruptedException {
        boolean taken = true;
        try {
            for (var data = guest.receive(); data.length > 0; data = guest.receive()) {
                taken = taken && takes(host, data);
            }
            if (taken) {
                host.shutdownOutput();
            }
        } catch (IOException | PodException e) {
            // the other direction tells
        }
    }

    private static boolean takes(SocketChannel host, byte[] data) {
        try {
            for (var rest = ByteBuffer.wrap(data); rest.hasRemaining(); ) {
                host.write(rest);
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static void toGuest(SocketChannel host, PortConnection guest) {
        var buffer = ByteBuffer.allocate(PIECE);
        try {
            while (host.read(buffer.clear()) >= 0) {
                guest.send(Arrays.copyOf(buffer.array(), buffer.position()));
            }
            guest.endOfInput();
        } catch (IOException | PodException e) {
            guest.close();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        for (var host : open) {
            try {
                host.close();
            } catch (IOException e) {
                // it is closed as far as the guest can tell
            }
        }
    }
}
