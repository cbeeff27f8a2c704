"""Which attributes of an item are kept: ``includeAttributes`` and ``excludeAttributes``. Pure.

Only an attribute of which a part is kept or left out is decoded; all others stay the bytes they came as.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from processor.dynamodb import item_paths
from processor.settings.attribute_paths import Path

Attributes = dict[str, msgspec.Raw]

# A path's steps below a place in an item; an empty one stands for all that is there.
_Tree = dict[str | int, Any]
_decoder: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


class Exclusion:
    """Leaves out what stands at the paths; what follows in a list moves up."""

    def __init__(self, paths: Iterable[Path]) -> None:
        found = set(paths)
        self._whole = [path[0] for path in found if len(path) == 1]
        self._within = _by_name(path for path in found if len(path) > 1)

    def __call__(self, attributes: Attributes) -> Attributes:
        """The attributes, changed."""
        for name in self._whole:
            attributes.pop(name, None)  # type: ignore[arg-type]  # a path's first step is a name
        for name, paths in self._within.items():
            value = attributes.get(name)
            if value is not None:
                inside = {name: _decoder.decode(value)}
                item_paths.remove(inside, paths)
                attributes[name] = msgspec.Raw(msgspec.json.encode(inside[name]))
        return attributes


class Inclusion:
    """Keeps what stands at the paths, as Scan's ProjectionExpression does: positions of a list move up.

    :param always: attributes that are kept whole in any case, those of the key
    """

    def __init__(self, paths: Iterable[Path], always: Collection[str]) -> None:
        self._tree: _Tree = {}
        for path in [*paths, *((name,) for name in always)]:
            _grow(self._tree, path)

    def __call__(self, attributes: Attributes) -> Attributes:
        """Those attributes, or parts of them, that are kept."""
        kept: Attributes = {}
        for name, value in attributes.items():
            below = self._tree.get(name)
            if below is None:
                continue
            if not below:
                kept[name] = value
            elif (part := _kept(_decoder.decode(value), below)) is not None:
                kept[name] = msgspec.Raw(msgspec.json.encode(part))
        return kept


def _by_name(paths: Iterable[Path]) -> Mapping[str, Sequence[Path]]:
    found: dict[str, list[Path]] = {}
    for path in item_paths.in_order(list(paths)):
        found.setdefault(str(path[0]), []).append(path)
    return found


def _grow(tree: _Tree, path: Path) -> None:
    """Add a path; what is kept whole already, or is from now on, needs no further steps."""
    for step in path[:-1]:
        below = tree.get(step)
        if below is not None and not below:
            return
        tree = tree.setdefault(step, {})
    tree[path[-1]] = {}


def _kept(value: Any, tree: _Tree) -> dict[str, Any] | None:
    """The part of a value that the tree names; None if there is none of it."""
    if "M" in value:
        within = ((name, content, tree.get(name)) for name, content in value["M"].items())
        found = {name: part for name, content, below in within if (part := _part(content, below)) is not None}
        return {"M": found} if found else None
    if "L" in value:
        places = enumerate(value["L"])
        parts = [part for place, content in places if (part := _part(content, tree.get(place))) is not None]
        return {"L": parts} if parts else None
    return None


def _part(value: Any, below: _Tree | None) -> Any:
    if below is None:
        return None
    return _kept(value, below) if below else value
