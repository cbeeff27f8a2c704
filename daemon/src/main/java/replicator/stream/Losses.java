package replicator.stream;

import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import replicator.log.Event;
import replicator.log.Outage;
import replicator.rows.LastCopy;
import replicator.rows.LossRows;

/**
 * Holds shards of which changes are lost at their checkpoints, and logs each: at once, then ever more rarely. Other shards go
 * on.
 *
 * <p>A complete copy of the table that was begun after the loss has what the lost changes made, so it lifts the hold: the
 * shard is read on from its oldest record. So it does of an uplink, whose lost changes it has written over: the spoke has the
 * hub's items by then.
 */
public final class Losses {
    private static final long PAUSE_MILLIS = 5_000;
    private static final long FIRST_INTERVAL_MILLIS = 300_000;
    private static final long LAST_INTERVAL_MILLIS = 3_600_000;
    private static final String HELD = " This shard waits at its checkpoint, and the shards after it wait for it; all others "
            + "go on.";
    private static final String OVER = " All shards are read on.";
    private static final String LIST = " What applications wrote at this side then is not at the hub, whose items win: "
            + "first list it, with verify --output FILE --values.";
    private static final String COPY = " Copy the table again: copy --restart --concurrent.";
    private static final String HELD_UNTIL = " When that is done, the shard goes on by itself, from its oldest record.";
    private static final String OVER_WHEN = " When that is done, this is over.";
    private static final String COPIED = " The table is copied again, and verified, by itself (afterLoss=copy). When the copy is "
            + "done, this is over; what was deleted at the source meanwhile is deleted at the destination after it.";
    private static final String DELETED = " Items deleted at the source meanwhile stay at the destination until "
            + "verify --repair --deleteExtra.";
    private static final String EXTRA = " What only this side has then stays until verify --repair --deleteExtra.";
    private static final String MADE_GOOD = "The table was copied since these changes were lost: nothing is missing any more.";
    private static final String WRITTEN_OVER = "The hub was copied since these changes were lost: its items are here, too.";

    private final LossRows rows;
    private final LastCopy copy;
    private final boolean copiesByItself;
    private final Outage outage = new Outage("task_table_unusable", "The task table can't be read or written",
            "Shards of which changes are lost wait; status may not name them.", "The task table can be used again");
    private final Map<String, Loss> held = new ConcurrentHashMap<>();

    private static final class Loss {
        private final String checkpoint;
        private final String what;
        private long sinceMillis = System.currentTimeMillis();
        private boolean isKnown;
        private boolean isStored;
        private long nextReport;
        private long interval = FIRST_INTERVAL_MILLIS;

        Loss(String checkpoint, String what) {
            this.checkpoint = checkpoint;
            this.what = what;
        }
    }

    /** @param copiesByItself whether the task's caretaker copies the table, so that nobody has to act */
    Losses(LossRows rows, LastCopy copy, boolean copiesByItself) {
        this.rows = rows;
        this.copy = copy;
        this.copiesByItself = copiesByItself;
    }

    /** How many shards this daemon holds. */
    public int count() {
        rows.retry();
        return held.size();
    }

    /** Rests for a moment where the shard is held; whoever would read it on asks again for as long as that is so. */
    public void pause(String shardId) {
        if (held.containsKey(shardId)) {
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new HeldShardException(shardId);
            }
        }
    }

    /** Nothing of the shard is lost after all, or not any more. */
    public void forget(String shardId) {
        if (held.remove(shardId) != null) {
            rows.remove(shardId);
        }
    }

    /**
     * Returns where a copy has made a loss good; else says it, and throws {@link HeldShardException}.
     *
     * @param checkpoint where the shard stands: a sequence number or TRIM_HORIZON; empty for a shard without a lease, which
     *     nothing waits for
     * @param what the loss, as a sentence
     */
    public void hold(String shardId, String checkpoint, String what) {
        Loss loss = held.compute(shardId, (id, before) ->
                before != null && before.checkpoint.equals(checkpoint) ? before : new Loss(checkpoint, what));
        synchronized (loss) {
            if (isMadeGood(shardId, loss)) {
                held.remove(shardId, loss);
                Event.notice("changes_lost_over").with("shard", shardId).with("checkpoint", checkpoint)
                        .note(copy.isOfMirror() ? WRITTEN_OVER : MADE_GOOD);
                return;
            }
            say(shardId, loss);
        }
        throw new HeldShardException(shardId);
    }

    private boolean isMadeGood(String shardId, Loss loss) {
        try {
            if (!loss.isKnown) {
                lookUp(shardId, loss);
                loss.isKnown = true;
            }
            if (copy.covers(loss.sinceMillis)) {
                rows.lifted(shardId, loss.checkpoint, loss.sinceMillis, loss.what);
                return true;
            }
            if (!loss.isStored) {
                rows.found(shardId, loss.checkpoint, loss.sinceMillis, loss.what);
                loss.isStored = true;
            }
            outage.succeeded();
        } catch (RuntimeException e) { // the shard is held all the same, and all this is tried again
            outage.failed(e);
        }
        return false;
    }

    /** Another daemon, or an earlier start, may have met it before. */
    private void lookUp(String shardId, Loss loss) {
        OptionalLong since = rows.since(shardId, loss.checkpoint);
        if (since.isEmpty()) {
            OptionalLong lifted = rows.liftedSince(shardId, loss.checkpoint);
            since = lifted.isPresent() && copy.covers(lifted.getAsLong()) ? lifted : since; // else that copy is too old by now
        }
        loss.sinceMillis = since.orElse(loss.sinceMillis);
    }

    private void say(String shardId, Loss loss) {
        long now = System.currentTimeMillis();
        if (now < loss.nextReport) {
            return;
        }
        loss.nextReport = now + loss.interval;
        loss.interval = Math.min(loss.interval * 2, LAST_INTERVAL_MILLIS);
        Event said = copiesByItself ? Event.warning("changes_lost_recovering") : Event.error("changes_lost");
        said.with("shard", shardId).with("checkpoint", loss.checkpoint)
                .with("seconds", (now - loss.sinceMillis) / 1_000)
                .note(loss.what + (copiesByItself ? COPIED : remedy(!loss.checkpoint.isEmpty())));
    }

    private String remedy(boolean isHeld) {
        boolean isUplink = copy.isOfMirror();
        return (isHeld ? HELD : OVER) + (isUplink ? LIST : "") + COPY + (isHeld ? HELD_UNTIL : OVER_WHEN)
                + (isUplink ? EXTRA : DELETED);
    }
}
