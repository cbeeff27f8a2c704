package replicator.stream;

import java.util.concurrent.atomic.AtomicBoolean;
import replicator.log.Event;

/** Says, once, that the stream takes no more changes. */
final class StreamEnd {
    private final String arn;
    private final AtomicBoolean said = new AtomicBoolean();

    StreamEnd(String arn) {
        this.arn = arn;
    }

    void sayDisabled() {
        if (said.compareAndSet(false, true)) {
            Event.error("stream_disabled").with("stream", arn)
                    .note("The stream is disabled: the table was deleted, or its stream was turned off. What it holds is "
                            + "still replicated; nothing that changes from now on is. If that is not what you want, turn "
                            + "the stream on again, delete the checkpoint table, copy the table, then start anew, and "
                            + "verify --repair --deleteExtra in the end (it deletes all that the source does not have).");
        }
    }
}
