"""Hatchling's hooks: what the wheel needs stands in one place, and without the daemon's jars it is not built."""

from __future__ import annotations

import os
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

# The variable that says where the repository is, as https://host/owner/name: whoever releases knows, and the wheel of a
# fork doesn't send its users elsewhere.
PROJECT_URL = "PROJECT_URL"
_LINKS = {r"\]\((?=docs/images/)": "/raw/", r"\]\((?!https?://|#)": "/blob/"}
_PAGES = {
    "Source": "",
    "Documentation": "/blob/{version}/docs/index.md",
    "Changelog": "/blob/{version}/CHANGELOG.md",
    "Issues": "/issues",
    "Security": "/blob/{version}/SECURITY.md",
}


class Metadata(MetadataHookInterface):
    """The wheel's dependencies are the lines of requirements.in, and its links lead to the repository."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        lines = (Path(self.root) / "requirements.in").read_text().splitlines()
        metadata["dependencies"] = [wanted for line in lines if (wanted := line.partition("#")[0].strip())]
        text = (Path(self.root) / "README.md").read_text()
        if url := os.environ.get(PROJECT_URL, "").rstrip("/"):
            version = f"v{metadata['version']}"
            metadata["urls"] = {name: url + page.format(version=version) for name, page in _PAGES.items()}
            for link, where in _LINKS.items():
                text = re.sub(link, f"]({url}{where}{version}/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def _differences(root: Path) -> list[str]:
    """What of jars/ is not as daemon/jars.lock has it. The program that knows is not installed where this is built."""
    spec = spec_from_file_location("jar_lock", root / "processor" / "startup" / "jar_lock.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("processor/startup/jar_lock.py can't be read.")
    jar_lock = module_from_spec(spec)
    spec.loader.exec_module(jar_lock)
    found = jar_lock.differences(root / "daemon" / "jars.lock", [root / "jars"], whole=False)
    return [f"{jar}: {what}" for jar, what in found]


class Jars(BuildHookInterface[Any]):
    """Refuses to build before Maven has, or with jars that are none of the lock's: such a wheel must not run."""

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
        if wrong := _differences(Path(self.root)):
            message = (
                f"jars/ is not as daemon/jars.lock has it ({'; '.join(wrong)}), so no wheel is built. "
                "Make it anew: remove jars/, then ./setup.sh wheel."
            )
            raise RuntimeError(message)
