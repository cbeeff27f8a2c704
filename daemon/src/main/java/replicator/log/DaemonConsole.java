package replicator.log;

import java.io.PrintStream;
import java.util.stream.Collectors;

/**
 * The daemon's standard error. KCL echoes every line of its children there; all of them are in replication.log, and only those
 * that an operator must see are printed, with their task's name where there are several. Anything else, such as a library's trace, is printed with its unprintable characters
 * escaped, and in a form that no line of ours has.
 */
public final class DaemonConsole extends PrintStream {
    public DaemonConsole(PrintStream console) {
        super(console, true);
    }

    @Override
    public void println(String line) {
        if (LogLines.isForConsole(line)) {
            super.println(Printable.escaped(LogLines.withTask(line)));
        }
    }

    @Override
    public void println(Object trace) {
        super.println(String.valueOf(trace).lines().map(line -> Printable.escaped(line.strip()))
                .collect(Collectors.joining("\n\t")));
    }
}
