"""Decides about a key that was read in both tables: equal, past its TTL, or different."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.report import At, Found
from processor.dynamodb.expiry import NO_EXPIRY, Expiry
from processor.dynamodb.item_view import UNSEEN

if TYPE_CHECKING:
    import msgspec

    from processor.commands.verify.digests import Role


class Counts(Protocol):
    """Is told of keys that don't differ."""

    def equal(self, items: int) -> None:
        """Count keys that are equal."""

    def found(self, results: list[Found]) -> None:
        """Take keys that TTL excuses."""


class Judge:
    """Any number of threads may share it.

    :param form: how items are compared
    :param expiry: which differences TTL excuses
    :param results: counts the keys that don't differ
    :param show_expired: also name the keys that TTL excuses
    """

    def __init__(
        self, form: CanonicalForm, results: Counts, *, expiry: Expiry = NO_EXPIRY, show_expired: bool = False
    ) -> None:
        self.form = form
        self.expiry = expiry
        self.show_expired = show_expired
        self._results = results

    def same(self, source: msgspec.Raw | None, destination: msgspec.Raw | None) -> bool:
        """Whether two items of one key don't count as a difference.

        :param source: None for no item, ``UNSEEN`` for one of which nothing is written
        """
        if source is UNSEEN:
            return destination is None
        return self.form.same(source, destination) or self.expiry.excuses(source, destination)

    def differs(
        self, role: Role, key: msgspec.Raw, source: msgspec.Raw | None, destination: msgspec.Raw | None
    ) -> bool:
        """The opposite of ``same``; a key that does not differ is counted here.

        :param role: the table whose scan has found the key
        """
        if source is UNSEEN:
            return destination is not None
        if self.form.same(source, destination):
            if source is not None and not self.expiry.source(source):
                self._results.equal(1)
            return False
        if not self.expiry.excuses(source, destination):
            return True
        if self.show_expired and (role == "destination") == (source is None):  # or the other scan would name it, too
            at: At = "destination" if source is None else "source" if destination is None else "both"
            self._results.found([Found(outcome="expired", key=key, at=at)])
        return False
