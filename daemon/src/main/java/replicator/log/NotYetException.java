package replicator.log;

/**
 * Something can't be done yet, and will be by itself. It is thrown at KCL, which tries again and logs an ERROR each time; that
 * line is lowered ({@link HarmlessErrors}).
 */
public final class NotYetException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public NotYetException(String message) {
        super(message);
    }
}
