package podvm.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import podvm.proto.node.v1.GetPodRequest;
import podvm.proto.node.v1.Pod;
import podvm.proto.node.v1.WaitPodRequest;

/** Brings ports of a pod to this machine, until Ctrl-C or the pod's end. */
final class PortForward implements Command {
    private static final int BACKLOG = 64;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "port-forward",
                "POD [LOCAL:]REMOTE...",
                "forward local ports to ports of a pod",
                2,
                Integer.MAX_VALUE,
                Option.value("--address", "ADDRESS", "where to listen, else on localhost"));
    }

    /**
     * A pair of ports.
     *
     * @param local 0: any free one
     */
    record Ports(int local, int remote) {
        /** "8080:80"; "80": the same on both sides; ":80": any local one. */
        static Ports parse(String text) throws Failure {
            var colon = text.indexOf(':');
            int remote = number(text.substring(colon + 1), text);
            if (remote == 0) {
                throw wrong(text);
            }
            return switch (colon) {
                case -1 -> new Ports(remote, remote);
                case 0 -> new Ports(0, remote);
                default -> new Ports(number(text.substring(0, colon), text), remote);
            };
        }

        private static int number(String digits, String text) throws Failure {
            if (!digits.matches("[0-9]{1,5}") || Integer.parseInt(digits) > 65_535) {
                throw wrong(text);
            }
            return Integer.parseInt(digits);
        }

        private static Failure wrong(String text) {
            return Failure.usage(
                    "not a pair of ports: " + text, "as in 8080:80, 80, or :80 for any local port");
        }
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var pairs = new ArrayList<Ports>();
        for (var text : given.operands().subList(1, given.operands().size())) {
            pairs.add(Ports.parse(text));
        }
        var request = GetPodRequest.newBuilder().setPod(given.operands().getFirst()).build();
        var pod = session.node().ask("GetPod", request, Pod.parser());
        if (!pod.getPhase().equals("Running")) {
            throw Failure.of(
                    "pod %s is not running: %s".formatted(pod.getName(), pod.getPhase()),
                    "podvm ps -a shows its state");
        }
        var listeners = new ArrayList<ServerSocket>();
        try {
            for (var ports : pairs) {
                listen(given.value("--address").orElse(""), ports, pod, session, listeners);
            }
            session.stdio().flush();
            var wait = WaitPodRequest.newBuilder().setPod(pod.getId()).build();
            session.node().ask("WaitPod", wait, Pod.parser());
            throw Failure.of("pod " + pod.getName() + " has ended", "");
        } finally {
            for (var listener : listeners) {
                listener.close();
            }
        }
    }

    private static void listen(
            String address, Ports ports, Pod pod, Session session, List<ServerSocket> listeners)
            throws Failure, IOException {
        if (!address.isEmpty()) {
            begin(open(address, ports.local()), ports, pod, session, listeners);
            return;
        }
        var first = open("127.0.0.1", ports.local());
        begin(first, ports, pod, session, listeners);
        ServerSocket second;
        try {
            second = open("::1", first.getLocalPort());
        } catch (Failure _) {
            // a machine without IPv6, or a port that is free in one family only
            return;
        }
        begin(second, ports, pod, session, listeners);
    }

    private static ServerSocket open(String address, int port) throws Failure {
        try {
            return new ServerSocket(port, BACKLOG, InetAddress.getByName(address));
        } catch (UnknownHostException e) {
            throw Failure.usage("not an address: " + address, "as in --address 0.0.0.0");
        } catch (IOException e) {
            throw Failure.of(
                    "cannot listen on %s port %d: %s".formatted(address, port, e.getMessage()),
                    "choose another local port, as in 8080:80, or :80 for any");
        }
    }

    private static void begin(
            ServerSocket listener,
            Ports ports,
            Pod pod,
            Session session,
            List<ServerSocket> listeners)
            throws IOException {
        listeners.add(listener);
        var address = listener.getInetAddress().getHostAddress();
        session.stdio()
                .print(
                        "Forwarding from %s:%d -> %d"
                                .formatted(
                                        address.contains(":") ? "[" + address + "]" : address,
                                        listener.getLocalPort(),
                                        ports.remote()));
        Thread.ofVirtual()
                .name("forward-" + ports.remote())
                .start(() -> accept(listener, ports.remote(), pod, session));
    }

    private static void accept(ServerSocket listener, int port, Pod pod, Session session) {
        try {
            while (true) {
                var socket = listener.accept();
                Thread.ofVirtual()
                        .name("connection-" + port)
                        .start(() -> new Forwarded(session, pod.getId(), port, socket).run());
            }
        } catch (IOException _) {
            // closed with the command
        }
    }
}
