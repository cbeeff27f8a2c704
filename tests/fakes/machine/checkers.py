"""Actionlint and kubeconform, as ``./test.sh checkers`` builds them or as they are installed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import kubernetes_validate

from processor.startup import java

_BUILT = java.ROOT / ".checkers"
ACTIONLINT, KUBECONFORM = (
    shutil.which(name, path=_BUILT) or shutil.which(name) for name in ("actionlint", "kubeconform")
)
ABSENT = "no actionlint or kubeconform here: ./test.sh checkers builds both, where Go is installed"


def schemas(folder: Path, kinds: Iterable[str], *, kubernetes: str) -> str:
    """Kubernetes' own schemas, in a folder of the test's; returns where kubeconform is to look, as it wants to be told.

    They are those that kubernetes-validate brings, so nothing is fetched; but theirs name each other by addresses.
    """
    brought = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{kubernetes}-local-strict"
    names = ["_definitions.json", *(f"{kind.lower()}-*.json" for kind in kinds)]
    for path in (path for name in names for path in brought.glob(name)):
        schema = json.loads(path.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (folder / path.name).write_text(json.dumps(schema))
    return f"{folder}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
