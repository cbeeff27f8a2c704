/** The process as such: its end, its threads, the children that it starts. */
package replicator.process;
