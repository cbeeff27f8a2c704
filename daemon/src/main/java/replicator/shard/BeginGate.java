package replicator.shard;

import java.util.function.Predicate;
import replicator.leases.LeaseTerms;
import replicator.lineage.MissingLeases;
import replicator.log.NotYetException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** Decides whether a shard may begin here: then its child is started, and writes. */
public final class BeginGate {
    private final Predicate<String> isOurs;
    private final Children children;
    private final LeaseTerms terms;
    private final CopyGate copyGate;
    private final MissingLeases missing;

    /**
     * @param isOurs whether this daemon has a shard's lease
     * @param copyGate whether a copy is in the way
     * @param missing whether shards before it must be read first
     */
    public BeginGate(
            Predicate<String> isOurs, Children children, LeaseTerms terms, CopyGate copyGate, MissingLeases missing) {
        this.isOurs = isOurs;
        this.children = children;
        this.terms = terms;
        this.copyGate = copyGate;
        this.missing = missing;
    }

    /**
     * False where its lease is gone again, so that there is nothing to begin.
     *
     * @throws NotYetException if it may, but only later
     * @throws RuntimeException if it can't be known now
     */
    boolean mayBegin(String shardId, ExtendedSequenceNumber checkpoint) {
        if (!isOurs.test(shardId)) { // KCL would try for ever, and come to the end of this consumer only afterwards
            return false;
        }
        if (children.isBusy(shardId)) {
            throw new NotYetException("a batch of " + shardId + ", begun under an earlier lease, is still under way");
        }
        long wait = terms.waitNanos(shardId);
        if (wait > 0) {
            throw new NotYetException("the last owner of " + shardId + " may write for " + wait / 1_000_000 + " ms");
        }
        copyGate.check();
        missing.checkParents(shardId, checkpoint);
        return true;
    }
}
