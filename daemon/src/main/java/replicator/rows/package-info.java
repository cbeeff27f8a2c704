/** Rows of the task table, which Python reads and writes too. */
package replicator.rows;
