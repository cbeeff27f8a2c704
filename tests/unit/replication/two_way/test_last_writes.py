"""What the uplink knows to have left at the hub."""

from __future__ import annotations

from processor.replication.two_way.last_writes import LastWrites, fingerprint


def test_what_was_left_is_known_until_somebody_else_has_written() -> None:
    """Nothing is something, too."""
    last = LastWrites()
    assert last.of(b"key") is None
    last.keep(b"key", b"item")
    assert last.of(b"key") == fingerprint(b"item")
    last.keep(b"key", None)
    assert last.of(b"key") == fingerprint(None) != fingerprint(b"item")
    last.forget(b"key")
    last.forget(b"key")
    assert last.of(b"key") is None


def test_only_so_many_keys_are_known() -> None:
    """Those that were settled last: a key's change has long been back by then."""
    last = LastWrites(most_keys=2)
    for key in (b"a", b"b", b"a", b"c"):
        last.keep(key, b"item")
    assert [last.of(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
