package replicator.log;

/**
 * Something can't be done yet, and will be possible by itself. It is thrown at KCL, which tries again and logs an ERROR each
 * time; {@link HarmlessErrors} lowers that line.
 */
public final class NotYetException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public NotYetException(String message) {
        super(message);
    }
}
