package replicator.stream;

/** A shard is not read on, since changes of it are lost. It is thrown often, and logged elsewhere, so it has no stack trace. */
public final class HeldShardException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    HeldShardException(String shardId) {
        super("Shard " + shardId + " is held: changes of it are lost (changes_lost)", null, false, false);
    }
}
