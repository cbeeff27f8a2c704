"""Hatchling's hook: a wheel without the daemon's jars would install, and not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Jars(BuildHookInterface[Any]):
    """Refuses to build before Maven has."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Look for what daemon/pom.xml makes; the wheel is of no platform all the same."""
        del version, build_data
        missing = [
            name
            for name in ("dynamodb-replicator-daemon.jar", "dynamodb-streams-kinesis-adapter-*.jar")
            if not list((Path(self.root) / "jars").glob(name))
        ]
        if missing:
            message = f"jars/ lacks {', '.join(missing)}, so the wheel could not run. Build it with ./setup.sh wheel."
            raise RuntimeError(message)
