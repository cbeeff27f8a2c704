/** One shard's processing: whether it may begin, its child, what is said of its progress. */
package replicator.shard;
