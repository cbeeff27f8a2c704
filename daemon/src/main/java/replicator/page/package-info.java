/** How a page of the stream is read, as bytes, and when the next one is. */
package replicator.page;
