package replicator.shard;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Knows which shards of a task have a child in this daemon, and which have a batch under way. */
public final class Children {
    private final Set<String> busy = ConcurrentHashMap.newKeySet();
    private final Map<String, StreamsRecordProcessor> started = new ConcurrentHashMap<>();

    /** Whether a child was started for the shard: the others never answer to a graceful shutdown. */
    public boolean isStarted(String shardId) {
        return started.containsKey(shardId);
    }

    void start(String shardId, StreamsRecordProcessor processor) {
        started.put(shardId, processor);
    }

    /** The processor's child was told that the shard is over for it; one that was started since is not meant. */
    void end(String shardId, StreamsRecordProcessor processor) {
        started.remove(shardId, processor);
    }

    /** Whether a batch is under way, be it one of a child that was started under an earlier lease. */
    boolean isBusy(String shardId) {
        return busy.contains(shardId);
    }

    void beginBatch(String shardId) {
        busy.add(shardId);
    }

    void endBatch(String shardId) {
        busy.remove(shardId);
    }
}
