/** What is believed of the stream's answers: its shards, a shard's end, losses. */
package replicator.stream;
