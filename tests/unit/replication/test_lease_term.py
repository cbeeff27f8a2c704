"""How long a shard may be written."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from processor.aws.timeouts import WriteTimeouts
from processor.errors import DaemonGoneError, LeaseLostError, SetupError
from processor.replication.lease_term import LeaseTerm
from processor.settings.daemon_files import shard_file_name
from processor.settings.kcl_properties import TUNED
from tests.fakes.daemon.fake_daemon import write_term
from tests.fakes.patience import PATIENCE_SECONDS

LENGTH_SECONDS = 4.0
CALL_SECONDS = 2.0
FIRST, SECOND = b"1" * 16, b"2" * 16


class _Daemon:
    """Notes a lease's terms in a file, by clocks of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.wall = 1_700_000_000.0
        self.monotonic = 1_000.0
        self.gone = threading.Event()
        self.renew(FIRST)
        self.term = LeaseTerm(
            file, call_seconds=CALL_SECONDS, gone=self.gone, wall=lambda: self.wall, monotonic=lambda: self.monotonic
        )

    def renew(self, term: bytes) -> None:
        ends = int((self.wall + LENGTH_SECONDS) * 1000), int((self.monotonic + LENGTH_SECONDS) * 1e9)
        write_term(self.file, term, *ends)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def daemon(tmp_path: Path) -> _Daemon:
    """One that has just renewed."""
    return _Daemon(tmp_path / "shard")


def test_a_call_that_ends_within_the_term_begins_at_once(daemon: _Daemon) -> None:
    """As long as the longest call would be over by the end of the term."""
    daemon.passes(LENGTH_SECONDS - CALL_SECONDS)
    daemon.term.may_write()


@pytest.mark.parametrize("seconds", [LENGTH_SECONDS - CALL_SECONDS + 0.1, LENGTH_SECONDS + 0.1])
def test_a_call_that_might_outlast_the_term_waits_for_a_renewal(daemon: _Daemon, seconds: float) -> None:
    """It begins when the daemon has renewed, and not before."""
    daemon.passes(seconds)
    assert _waits(daemon)


@pytest.mark.parametrize("other", [SECOND, bytes(16)])
def test_another_term_is_not_ours(daemon: _Daemon, other: bytes) -> None:
    """A lease that was lost and taken back belongs to the next child; one that was lost, to nobody here."""
    daemon.renew(other)
    with pytest.raises(LeaseLostError):
        daemon.term.may_write()


def _waits(daemon: _Daemon) -> bool:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(daemon.term.may_write)
        waits = not wait([asked], timeout=0.1).done
        daemon.renew(FIRST)
        asked.result(PATIENCE_SECONDS)
    return waits


def test_a_machine_that_slept_waits_for_news(daemon: _Daemon) -> None:
    """The monotonic clock stood still; the wall clock knows that the term is over."""
    daemon.wall += 3600
    assert _waits(daemon)


def test_a_clock_set_back_gives_no_time(daemon: _Daemon) -> None:
    """The wall clock may be corrected by hours; the monotonic one knows that the term is over."""
    daemon.passes(LENGTH_SECONDS)
    daemon.wall -= 3600
    assert _waits(daemon)


def test_nothing_is_written_when_the_daemon_has_gone(daemon: _Daemon) -> None:
    """However much of the term is left."""
    daemon.gone.set()
    with pytest.raises(DaemonGoneError):
        daemon.term.may_write()


@pytest.mark.parametrize("content", [None, bytes(32)])
def test_a_lease_lost_before_the_start(tmp_path: Path, content: bytes | None) -> None:
    """The daemon ended the term while the child started: it is no failure, and nothing is written."""
    file = tmp_path / "shard"
    if content is not None:
        file.write_bytes(content)
    term = LeaseTerm(file, call_seconds=CALL_SECONDS, gone=threading.Event())
    with pytest.raises(LeaseLostError):
        term.may_write()


@pytest.mark.parametrize("content", [b"", b"short"])
def test_without_a_term_nothing_begins(tmp_path: Path, content: bytes) -> None:
    """A child that can't know its lease does not start."""
    file = tmp_path / "shard"
    file.write_bytes(content)
    with pytest.raises(SetupError, match="can't be read"):
        LeaseTerm(file, call_seconds=CALL_SECONDS, gone=threading.Event())


def test_a_call_is_over_before_a_renewed_lease_is() -> None:
    """KCL renews after a third of the failover time: what is left then is more than a call may take."""
    failover = int(TUNED["failoverTimeMillis"]) / 1000
    assert WriteTimeouts.within(failover).call < failover * 2 / 3


def test_a_file_that_is_made_anew_is_followed(daemon: _Daemon) -> None:
    """Somebody cleared the directory; the daemon goes on writing."""
    daemon.passes(LENGTH_SECONDS)
    daemon.file.unlink()
    assert _waits(daemon)


@pytest.mark.parametrize("shard_id", ["shardId-1", "../../etc/passwd", "/absolute", ".", ""])
def test_no_shard_names_a_path(shard_id: str) -> None:
    """Whatever the checkpoint table says, the file lies where it should."""
    assert re.fullmatch("[0-9a-f]{64}", shard_file_name(shard_id))
