package podvm.cli;

/** One run of the command: its streams and the daemon it talks to. */
record Session(Stdio stdio, Node node) {}
