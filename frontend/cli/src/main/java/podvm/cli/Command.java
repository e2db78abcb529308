package podvm.cli;

import java.io.IOException;

/** One of podvm's commands. */
interface Command {
    Syntax syntax();

    /** Returns the exit code. An IOException says that standard input or output failed. */
    int run(Given given, Session session) throws Failure, IOException, InterruptedException;
}
