package replicator.page;

import java.util.concurrent.CompletableFuture;

/** How one reader comes to its page: it is there already, or another is getting it, or the reader is to read it. */
final class SharedTurn {
    private final SharedShard shard;
    private final Position position;
    private final SharedPage page;
    private final CompletableFuture<SharedPage> others;
    private final CompletableFuture<SharedPage> own;

    private SharedTurn(SharedShard shard, Position position, SharedPage page, CompletableFuture<SharedPage> others,
            CompletableFuture<SharedPage> own) {
        this.shard = shard;
        this.position = position;
        this.page = page;
        this.others = others;
        this.own = own;
    }

    static SharedTurn known(SharedShard shard, Position position, SharedPage page) {
        return new SharedTurn(shard, position, page, null, null);
    }

    static SharedTurn awaited(SharedShard shard, Position position, CompletableFuture<SharedPage> others) {
        return new SharedTurn(shard, position, null, others, null);
    }

    static SharedTurn own(SharedShard shard, Position position) {
        return new SharedTurn(shard, position, null, null, new CompletableFuture<>());
    }

    SharedShard shard() {
        return shard;
    }

    /** After which the page is wanted. */
    Position position() {
        return position;
    }

    /** Null where it isn't there yet. */
    SharedPage page() {
        return page;
    }

    /** Another's read, which completes with a page or, where it has none to share, with null; null where there is none. */
    CompletableFuture<SharedPage> others() {
        return others;
    }

    /** The reader's, which is to be ended by {@link SharedReads#end}; null where there is nothing to read. */
    CompletableFuture<SharedPage> own() {
        return own;
    }
}
