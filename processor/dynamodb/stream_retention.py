"""How long a stream keeps a record, and by when a replication must have begun to read it. Pure."""

from __future__ import annotations

# The latest start of a replication. From there to the first reads of a large stream KCL takes minutes; half an hour is
# ample.
LAST_START_SECONDS = 23.5 * 3600
RETENTION_SECONDS = 24 * 3600.0
