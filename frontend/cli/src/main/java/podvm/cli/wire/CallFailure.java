package podvm.cli.wire;

/** The server's refusal of a call. */
public final class CallFailure extends Exception {
    /** gRPC's code for a method that the server does not know. */
    public static final int UNIMPLEMENTED = 12;

    private final int status;
    private final transient byte[] details;

    CallFailure(int status, String message, byte[] details) {
        super(message);
        this.status = status;
        this.details = details.clone();
    }

    /** As gRPC numbers them. */
    public int status() {
        return status;
    }

    /** The trailer "podvm-error-bin"; empty where there was none. */
    public byte[] details() {
        return details.clone();
    }
}
