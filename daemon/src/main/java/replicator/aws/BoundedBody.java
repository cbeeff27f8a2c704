package replicator.aws;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import software.amazon.awssdk.http.AbortableInputStream;

/** An answer's body, which fails after a number of bytes, or when its deadline is over. */
final class BoundedBody extends FilterInputStream {
    /** What is left at the end, as a line end, is read so that the connection can be used again. */
    private static final int LEFT_BYTES = 4 * 1024;

    private final int most;
    private final AnswerDeadline deadline;
    private int read;
    private boolean isAtEnd;

    private BoundedBody(InputStream body, int most, AnswerDeadline deadline) {
        super(body);
        this.most = most;
        this.deadline = deadline;
    }

    static AbortableInputStream of(InputStream body, int most, AnswerDeadline deadline) {
        return AbortableInputStream.create(new BoundedBody(body, most, deadline), deadline::abort);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (isAtEnd) {
            return -1;
        }
        int got;
        try {
            got = in.read(into, offset, length);
        } catch (IOException e) {
            throw deadline.explained(e);
        }
        if (got < 0) {
            isAtEnd = true;
            deadline.met();
        } else if (got > most - read) {
            deadline.abort(); // to close it would be to read it to its end
            throw AnswerBounds.tooLarge(most);
        } else {
            read += got;
        }
        return got;
    }

    @Override
    public long skip(long count) throws IOException {
        return Math.max(0, read(new byte[(int) Math.min(count, LEFT_BYTES)]));
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    /** HttpClient would read the rest first, however much that is. */
    @Override
    public void close() throws IOException {
        try {
            if (!isAtEnd && readNBytes(LEFT_BYTES).length == LEFT_BYTES) {
                deadline.abort();
            }
        } catch (IOException e) {
            deadline.abort(); // nobody waits for the rest
        } finally {
            deadline.met();
            in.close();
        }
    }
}
