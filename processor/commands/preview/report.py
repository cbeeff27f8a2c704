"""What the settings make of an item, attribute by attribute. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from processor.dynamodb.item_size import item_bytes
from processor.dynamodb.item_view import View
from processor.dynamodb.items import parsed, same_value
from processor.errors import UnviewableError
from processor.flow import shapes
from processor.settings.attribute_paths import Path
from processor.settings.settings import Settings
from processor.view.condition.condition import Condition

# ``filtered``: the filter is not true of it; ``dropped``: the transform returned None; ``refused``: no view can be made
# of it, so its change would never be accepted; ``missing``: the source has no item of this key.
Outcome = Literal["written", "filtered", "dropped", "refused", "missing"]
Change = Literal["kept", "leftOut", "partLeftOut", "masked", "partMasked", "changed", "renamed", "added"]
_Attributes = Mapping[str, dict[str, Any]]
_decode = shapes.decoder(dict[str, msgspec.Raw]).decode


class Side(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An attribute as one of the tables has it; its value only if values were asked for."""

    name: str
    type: str
    size_bytes: int
    value: dict[str, Any] | None = None


class Attribute(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One attribute: None on a side that doesn't have it."""

    before: Side | None
    after: Side | None
    changes: tuple[Change, ...]


class Item(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One item. Sizes are DynamoDB's, in bytes; None where there is no such item."""

    key: dict[str, Any]
    outcome: Outcome
    reason: str | None = None
    size_before: int | None = None
    size_after: int | None = None
    attributes: tuple[Attribute, ...] = ()


class PreviewReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, in the order in which they were read."""

    items: tuple[Item, ...]

    @property
    def has_faults(self) -> bool:
        """Whether there is one that can't be shown as it would be written."""
        return any(item.outcome in {"refused", "missing"} for item in self.items)


class Preview:
    """Shows items.

    :param view: the task's; None if its items stay as they are
    :param condition: the filter, which tells why the view leaves an item out
    :param values: whether values are shown, those that are masked among them
    """

    def __init__(
        self,
        settings: Settings,
        *,
        key_names: list[str],
        view: View | None,
        condition: Condition | None,
        values: bool,
    ) -> None:
        self._settings = settings
        self._key_names = key_names
        self._view = view
        self._condition = condition
        self._values = values

    def missing(self, key: msgspec.Raw) -> Item:
        """What is shown of a key without an item."""
        return Item(key=parsed(key), outcome="missing")

    def of(self, item: msgspec.Raw) -> Item:
        """What is made of an item.

        :param item: DynamoDB JSON, as the source has it
        :raises MalformedItemError: it isn't
        """
        before = parsed(item)
        made = Item(
            key={name: before[name] for name in self._key_names if name in before},
            outcome="written",
            size_before=item_bytes(before),
        )
        try:
            seen = item if self._view is None else self._view(item)
        except UnviewableError as exc:
            return self._without(made, before, outcome="refused", reason=str(exc))
        if seen is None:
            passes = self._condition is None or self._condition.matches(_decode(item))
            return self._without(made, before, outcome="dropped" if passes else "filtered")
        after = parsed(seen)
        return msgspec.structs.replace(
            made, size_after=item_bytes(after), attributes=tuple(self._attributes(before, after))
        )

    def _without(self, made: Item, before: _Attributes, *, outcome: Outcome, reason: str | None = None) -> Item:
        """Of an item of which nothing is written, only the source's side is shown."""
        attributes = [Attribute(before=self._side(before, name), after=None, changes=()) for name in before]
        return msgspec.structs.replace(made, outcome=outcome, reason=reason, attributes=tuple(attributes))

    def _attributes(self, before: _Attributes, after: _Attributes) -> Iterator[Attribute]:
        renamed = self._settings.rename_attributes or {}
        added = dict(after)
        for name, value in before.items():
            new = renamed.get(name, name)
            # What setAttributes puts in the place of another attribute is a new one, not the old one changed.
            if new not in after or new in (self._settings.set_attributes or {}):
                yield Attribute(before=self._side(before, name), after=None, changes=("leftOut",))
                continue
            del added[new]
            yield Attribute(
                before=self._side(before, name),
                after=self._side(after, new),
                changes=tuple(self._changes(name, new, same=same_value(value, after[new]))),
            )
        for name in added:
            yield Attribute(before=None, after=self._side(after, name), changes=("added",))

    def _changes(self, old: str, new: str, *, same: bool) -> Iterator[Change]:
        settings = self._settings
        if same:
            yield "kept" if old == new else "renamed"
            return
        explained = False
        if (old,) in (settings.mask_attributes or []):
            explained = True
            yield "masked"
        if _has_below(settings.mask_attributes, old):
            explained = True
            yield "partMasked"
        if _has_below(settings.exclude_attributes, old) or _has_below(settings.include_attributes, old):
            explained = True
            yield "partLeftOut"
        if not explained:
            yield "changed"
        if old != new:
            yield "renamed"

    def _side(self, item: _Attributes, name: str) -> Side:
        ((kind, _),) = item[name].items()
        size = item_bytes({name: item[name]})
        return Side(name=name, type=kind, size_bytes=size, value=item[name] if self._values else None)


def _has_below(paths: list[Path] | None, name: str) -> bool:
    """Whether one of the paths is within the attribute."""
    return any(path[0] == name and len(path) > 1 for path in paths or [])
