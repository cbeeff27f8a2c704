package replicator.log;

import java.io.PrintStream;
import java.util.stream.Collectors;

/**
 * The daemon's standard error. KCL echoes every line of a child's there: all are in replication.log, and here only those that
 * an operator must see. Whatever else is printed, as some library's trace, is printable, and its lines look like none of ours.
 */
public final class DaemonConsole extends PrintStream {
    public DaemonConsole(PrintStream console) {
        super(console, true);
    }

    @Override
    public void println(String line) {
        if (LogLines.isForConsole(line)) {
            super.println(Printable.escaped(line));
        }
    }

    @Override
    public void println(Object trace) {
        super.println(String.valueOf(trace).lines().map(line -> Printable.escaped(line.strip()))
                .collect(Collectors.joining("\n\t")));
    }
}
