/** KCL's leases: taken, renewed and given up as a fleet of writers needs it. */
package replicator.leases;
