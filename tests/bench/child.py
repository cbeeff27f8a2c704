"""What the start of a child costs."""

from __future__ import annotations

from pathlib import Path

from tests.bench.alone import start_of_child
from tests.bench.figures import Figures
from tests.scenarios.conftest import Servers


def child(_: Servers, folder: Path) -> Figures:
    """CPU seconds until it has its shard."""
    return {"child: CPU to its first answer, s": list(start_of_child(folder))}
