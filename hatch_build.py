"""Hatchling's hooks: what the wheel needs stands in one place, and without the daemon's jars it is not built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class Requirements(MetadataHookInterface):
    """The wheel's dependencies are the lines of requirements.in."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        lines = (Path(self.root) / "requirements.in").read_text().splitlines()
        metadata["dependencies"] = [wanted for line in lines if (wanted := line.partition("#")[0].strip())]


class Jars(BuildHookInterface[Any]):
    """Refuses to build before Maven has: such a wheel would install, and not run."""

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
