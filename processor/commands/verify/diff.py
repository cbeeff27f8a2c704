"""Finds where two images of one key differ. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from processor.dynamodb.items import parsed, same_value
from processor.settings.attribute_paths import Path

if TYPE_CHECKING:
    import msgspec

Kind = Literal["missing", "extra", "different"]


class AttributeDifference(NamedTuple):
    """``missing`` and ``extra`` are meant at the destination; the values are attribute values as in their tables."""

    path: Path
    kind: Kind
    source: dict[str, Any] | None
    destination: dict[str, Any] | None


def differences(
    source: msgspec.Raw, destination: msgspec.Raw, *, ignored: Collection[Path] = ()
) -> Iterator[AttributeDifference]:
    """The differences, as deep as both have a map or a list in the same place; sets differ as a whole.

    :param ignored: paths that are not compared, nor anything below them
    :raises ValueError: one of them is not DynamoDB JSON
    """
    return _of_maps((), parsed(source), parsed(destination), frozenset(ignored))


def _of_maps(path: Path, source: Any, destination: Any, ignored: Collection[Path]) -> Iterator[AttributeDifference]:
    for name in sorted(source.keys() | destination.keys()):
        yield from _of((*path, name), source.get(name), destination.get(name), ignored)


def _of_lists(path: Path, source: Any, destination: Any, ignored: Collection[Path]) -> Iterator[AttributeDifference]:
    for place in range(max(len(source), len(destination))):
        of_source, of_destination = (each[place] if place < len(each) else None for each in (source, destination))
        yield from _of((*path, place), of_source, of_destination, ignored)


def _of(path: Path, source: Any, destination: Any, ignored: Collection[Path]) -> Iterator[AttributeDifference]:
    if path in ignored:
        return
    if source is None or destination is None:
        yield AttributeDifference(path, "extra" if source is None else "missing", source, destination)
    elif "M" in source and "M" in destination:
        yield from _of_maps(path, source["M"], destination["M"], ignored)
    elif "L" in source and "L" in destination:
        yield from _of_lists(path, source["L"], destination["L"], ignored)
    elif not same_value(source, destination):
        yield AttributeDifference(path, "different", source, destination)
