/** Clients of AWS: credentials, proxies, and how large and late an answer may be. */
package replicator.aws;
