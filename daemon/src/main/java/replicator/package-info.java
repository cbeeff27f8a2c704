/** The process and its one task: everything is made and put together here, and ended. */
package replicator;
