"""The writes by which a start, ``check`` or a copy tries whether it may write the destination: they change nothing."""

from __future__ import annotations

# What processor/startup/write_probe.py begins its keys with. It stands here, too: checkers know nothing of the
# product's code.
PREFIX = "dynamodb-replicator-check/"
