/** The process that tells the metrics, kept running. */
package replicator.metrics;
