/** From the JVM's first call until KCL runs. */
package replicator.start;
