/** Which shards ought to have leases, by the stream's own word, and which nobody reads. */
package replicator.lineage;
