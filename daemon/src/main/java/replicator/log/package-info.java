/** Whatever the daemon says: events, lines, outages, without secrets. */
package replicator.log;
