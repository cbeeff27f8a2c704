"""The key of masked attributes."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.reporting.secrets import HIDDEN, hidden
from processor.view.mask_key import MaskKeyError, read

KEY = "a key that nobody guesses"


def test_from_the_environment() -> None:
    """White space around it, as a file's last newline, does not count."""
    assert read("env:MASK", {"MASK": f" {KEY}\n"}) == KEY.encode()


def test_from_a_file(tmp_path: Path) -> None:
    """Of any bytes; its path may have a space."""
    file = tmp_path / "mask key"
    file.write_bytes(bytes(range(128, 160)) + b"\n")
    assert read(file.as_uri()) == bytes(range(128, 160))


def test_it_is_a_secret_from_then_on() -> None:
    """Whoever quotes it, logs and consoles don't."""
    read("env:MASK", {"MASK": KEY})
    assert hidden(f"the key is {KEY}.") == f"the key is {HIDDEN}."


@pytest.mark.parametrize(("value", "is_weak"), [(None, False), ("", False), ("  ", False), ("fifteen letters", True)])
def test_what_is_no_key(value: str | None, tmp_path: Path, *, is_weak: bool) -> None:
    """The message names the place and never the key."""
    with pytest.raises(MaskKeyError) as raised:
        read("env:MASK", {} if value is None else {"MASK": value})
    assert raised.value.is_weak == is_weak
    assert "MASK" in str(raised.value)
    assert "fifteen" not in str(raised.value)
    file = tmp_path / "key"
    if value is not None:
        file.write_text(value)
    with pytest.raises(MaskKeyError, match=str(file)) as raised:
        read(file.as_uri())
    assert raised.value.is_weak == is_weak
