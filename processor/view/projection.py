"""Which attributes of an item are kept: ``includeAttributes`` and ``excludeAttributes``. Pure.

Only an attribute of which a part is kept or left out is decoded; all others stay the bytes they came as.

Positions in a list are those of the item as it came, and whatever moves them comes after all that go by them. So an
``Inclusion`` masks by itself, and of an ``Exclusion`` only what lies within a masked value may come before the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from processor.dynamodb import item_paths
from processor.flow import shapes
from processor.settings.attribute_paths import Path

Attributes = dict[str, msgspec.Raw]

# A path's steps below a place in an item; an empty one stands for all that is there.
_Tree = dict[str | int, Any]
_decoder: msgspec.json.Decoder[dict[str, Any]] = shapes.decoder(dict[str, Any])


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
    :param masked: paths, none of them below another one, whose values are masked; of each only what is kept
    :param mask: makes the value that stands for another one; both are ``{type: value}``
    """

    def __init__(
        self,
        paths: Iterable[Path],
        always: Collection[str],
        *,
        masked: Iterable[Path] = (),
        mask: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._tree = _tree([*paths, *((name,) for name in always)])
        self._masked = _tree(masked)
        self._mask = mask

    def __call__(self, attributes: Attributes) -> Attributes:
        """Those attributes, or parts of them, that are kept."""
        kept: Attributes = {}
        for name, value in attributes.items():
            below, masked = self._tree.get(name), self._masked.get(name)
            if below is None:
                continue
            if not below and masked is None:
                kept[name] = value
            elif (part := self._part(_decoder.decode(value), below, masked)) is not None:
                kept[name] = msgspec.Raw(msgspec.json.encode(part))
        return kept

    def _part(self, value: Any, below: _Tree | None, masked: _Tree | None) -> Any:
        """What is kept of a value, masked; None if nothing is.

        :param below: what of it is kept; None for nothing, an empty one for all
        :param masked: what of it is masked; None for nothing, an empty one for all
        """
        if below is None:
            return None
        if masked is not None and not masked:
            part = self._kept(value, below, None) if below else value
            return None if part is None else self._mask(part)
        if below:
            return self._kept(value, below, masked)
        return value if masked is None else self._kept(value, _Whole(), masked) or value

    def _kept(self, value: Any, tree: _Tree, masked: _Tree | None) -> dict[str, Any] | None:
        """The part of a value that the tree names; None if there is none of it."""
        masks: _Tree = masked or {}
        if "M" in value:
            within = value["M"].items()
            parts = ((name, self._part(content, tree.get(name), masks.get(name))) for name, content in within)
            found = {name: part for name, part in parts if part is not None}
            return {"M": found} if found else None
        if "L" in value:
            places = enumerate(value["L"])
            found_in_list = [self._part(content, tree.get(place), masks.get(place)) for place, content in places]
            kept = [part for part in found_in_list if part is not None]
            return {"L": kept} if kept else None
        return None


class _Whole(_Tree):
    """All that is there, each part whole."""

    def get(self, _: str | int, __: Any = None) -> _Tree:
        return {}


def _by_name(paths: Iterable[Path]) -> Mapping[str, Sequence[Path]]:
    found: dict[str, list[Path]] = {}
    for path in item_paths.in_order(list(paths)):
        found.setdefault(str(path[0]), []).append(path)
    return found


def _tree(paths: Iterable[Path]) -> _Tree:
    tree: _Tree = {}
    for path in paths:
        _grow(tree, path)
    return tree


def _grow(tree: _Tree, path: Path) -> None:
    """Add a path; what is named whole already, or is from now on, needs no further steps."""
    for step in path[:-1]:
        below = tree.get(step)
        if below is not None and not below:
            return
        tree = tree.setdefault(step, {})
    tree[path[-1]] = {}
