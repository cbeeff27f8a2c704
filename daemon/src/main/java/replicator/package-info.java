/** The process and its tasks: everything is made and put together here, and ended. */
package replicator;
