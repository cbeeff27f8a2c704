/** The process as such: its end, its threads. */
package replicator.process;
