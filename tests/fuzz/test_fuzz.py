"""A short run of what ``./test.sh fuzz`` does for as long as it is told: the same inputs each time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

# What parsers stumble over: structure, numbers out of bounds, characters of several bytes and halves of them.
_PIECES = [
    b"\r\n",
    b"{",
    b"}",
    b"[",
    b'"',
    b":",
    b"\\u",
    b"\\ud800",
    b"\xff",
    b"\xe2\x80\xa8",
    b"9" * 5000,
    b"-1",
    b"0x",
]
_PIECES += [
    b"[" * 3000,
    b'{"a":' * 3000,
    b"1e999",
    b"NaN",
    b"\0",
    b"null",
    b"Content-Length: 7\r\n",
    b"HTTP/1.1 100\r\n\r\n",
]


@st.composite
def _changed(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with up to four cuts, copies or pieces of another kind in it."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        piece = draw(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=4), st.just(data[at:end] * 2)))
        data = data[:at] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_its_own_errors(name: str) -> None:
    """Whatever the bytes are, the code takes them or refuses them by an error that it names."""
    target = TARGETS[name]
    for seed in target.seeds:
        target.run(seed)

    @settings(derandomize=True, max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=_changed(list(target.seeds)))
    def every(data: bytes) -> None:
        target.run(data)

    every()
