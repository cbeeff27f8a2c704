"""run.sh and setup.sh as a user meets them: on a fresh clone, interrupted, from anywhere."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from processor.startup import java
from tests.fakes.machine.ended import has_ended
from tests.fakes.patience import PATIENCE_SECONDS, until

RUN = java.ROOT / "run.sh"


def run(*arguments: str | Path, cwd: Path | None = None, program: Path = RUN) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return end_of([program, *arguments], cwd=cwd)


def end_of(
    command: list[str | Path], *, cwd: Path | None = None, umask: int = -1, locale: str = "C.UTF-8"
) -> subprocess.CompletedProcess[str]:
    """Run any command to its end, with this umask or ours; set-up takes a busy machine minutes."""
    patience = 3 * PATIENCE_SECONDS
    environment = os.environ | {"LC_ALL": locale}
    return subprocess.run(
        command, cwd=cwd, umask=umask, env=environment, capture_output=True, text=True, check=False, timeout=patience
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of this checkout's files under a path with spaces, and a letter that is none of ASCII's."""
    target = tmp_path_factory.mktemp("clone") / "a path with späces"
    target.mkdir()
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=java.ROOT, capture_output=True, text=True, check=True).stdout
    pack = subprocess.run(["tar", "-cf-", "-T-"], input=files.encode(), cwd=java.ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-xf-"], input=pack.stdout, cwd=target, check=True)
    return target


def test_a_fresh_clone_sets_itself_up_even_after_an_interruption(clone: Path, tmp_path: Path) -> None:
    """Killed half-way, set-up starts again; then the demo runs; and a second run does no set-up work.

    The demo has a umask of 000, by which every user could write what is run, and a start would be refused; and the
    locale of C, in which neither Java nor Python takes such a path.
    """
    interrupted = subprocess.Popen(
        [clone / "setup.sh", "python", "jars"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert interrupted.stderr is not None
    for line in interrupted.stderr:
        if "Python packages" in line:
            break
    os.killpg(interrupted.pid, signal.SIGKILL)
    interrupted.wait()
    interrupted.stderr.close()

    link = tmp_path / "link.sh"
    link.symlink_to(clone / "run.sh")
    demo = [clone / "properties" / "demo.properties", "--demoSeconds", "3"]
    first = end_of([link, *demo], cwd=tmp_path, umask=0, locale="C")
    assert (0, "setup: Python environment ..." in first.stderr) == (first.returncode, True), first.stderr[-3000:]
    assert "source = destination: yes" in first.stdout
    assert str(clone / "logs" / "demo") in first.stdout

    again = run(*demo, cwd=tmp_path, program=link)
    assert (again.returncode, again.stderr) == (0, "")
    made = [path for part in (".venv", "jars", "logs") for path in (clone / part).rglob("*") if not path.is_symlink()]
    assert [path for path in made if path.stat().st_mode & 0o002] == []


def test_nothing_is_set_up_anew_under_a_running_daemon(clone: Path) -> None:
    """A daemon still starts children and opens jars, so neither is replaced while one of the checkout runs."""
    folder = clone / "logs" / "some-task"
    folder.mkdir(parents=True, exist_ok=True)
    (clone / "jars").mkdir(exist_ok=True)
    (clone / "jars" / ".stamp").write_text("of an older version")
    with (folder / "daemon.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("jars", program=clone / "setup.sh")
    assert result.returncode == 22
    assert (
        f"a daemon of this checkout runs ({folder}/daemon.lock is locked, by process {os.getpid()}: " in result.stderr
    )
    assert (clone / "jars" / ".stamp").read_text() == "of an older version"  # so that the next run looks again


@pytest.mark.parametrize("arguments", [("jars",), ("--beside", "jars")], ids=["refused", "left as it is"])
def test_a_daemon_is_seen_wherever_its_logs_are(clone: Path, arguments: tuple[str, ...]) -> None:
    """It holds jars/.in-use; a replication's set-up is refused beside it, a command's makes nothing and goes on."""
    (clone / "jars").mkdir(exist_ok=True)
    (clone / "jars" / ".stamp").write_text("of an older version")
    there = {path: path.stat().st_mtime_ns for path in (clone / "jars").glob("*.jar")}
    hold = "import pathlib; from processor.startup import daemon, java; "
    hold += f"java.JARS = pathlib.Path({str(clone / 'jars')!r}); "
    hold += "daemon.hold_installation(); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=java.ROOT
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        result = run(*arguments, program=clone / "setup.sh")
        holder.communicate("\n", timeout=PATIENCE_SECONDS)
    assert result.returncode == (22 if arguments == ("jars",) else 0)
    locked = f"{clone}/jars/.in-use is locked, by process {holder.pid}: {sys.executable} -c import pathlib"
    assert f"a daemon of this checkout runs ({locked}" in result.stderr
    assert (clone / "jars" / ".stamp").read_text() == "of an older version"
    assert {path: path.stat().st_mtime_ns for path in (clone / "jars").glob("*.jar")} == there


@pytest.mark.parametrize(
    ("name", "words", "status"), [("setup.sh", [], 22), ("setup.sh", ["--help"], 0), ("test.sh", ["--help"], 0)]
)
def test_what_there_is_to_be_set_up_or_tested(clone: Path, name: str, words: list[str], status: int) -> None:
    """It is said before anything is set up."""
    result = run(*words, program=clone / name)
    assert result.returncode == status
    said = result.stderr if status else result.stdout
    assert {"setup.sh": "\n  python  ", "test.sh": "./test.sh lint  "}[name] in said
    assert "setup: " not in said or said.endswith("setup: no part is named, so nothing was set up\n")


def test_stamps_are_the_same_in_every_locale(clone: Path, tmp_path: Path) -> None:
    """An order of file names that a locale has, a time zone and a umask say nothing of what jars are made from."""
    made = []
    # A locale whose order is not C's, where the machine has none: made of Debian's own sources.
    subprocess.run(["localedef", "-i", "en_US", "-f", "UTF-8", tmp_path / "en_US.UTF-8"], check=False)
    lines = (clone / "setup.sh").read_text().splitlines()
    begin = lines.index("sum() (")
    summed = "\n".join(lines[begin : lines.index(")", begin) + 1])
    sources = "'daemon/src/main/java/replicator/*/*.java'"
    script = f'umask "$1"; root="$2"\n{summed}\nsum {sources}; files=("$2"/daemon/src/*); printf "%s" "${{#files[@]}}"'
    for locale, umask, zone in (("C", "022", "UTC"), ("en_US.UTF-8", "077", "Asia/Tokyo"), ("C.UTF-8", "000", "")):
        environment = os.environ | {"LOCPATH": str(tmp_path), "LC_ALL": locale, "TZ": zone}
        command = ["bash", "-c", script, "bash", umask, str(clone)]
        made.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(set(made)) == 1


def test_a_jar_that_is_not_the_locks_is_refused(clone: Path) -> None:
    """Set-up names it, and both hashes, and what to do; the next run looks again."""
    lock = clone / "daemon" / "jars.lock"
    good = lock.read_text()
    lock.write_text(re.sub(r"(?<=:jul-to-slf4j:2.0.13 )\w+", "0" * 64, good))
    try:
        refused = [end_of([clone / "setup.sh", "python", "jars"]) for _ in range(2)]
    finally:
        lock.write_text(good)
    for result in refused:
        assert result.returncode == 22
        assert f"Jar {clone}/jars/jul-to-slf4j-2.0.13.jar: its SHA-256 is " in result.stderr
        assert f"it is {'0' * 64}" in result.stderr
        assert "Fetch it anew: remove .venv, jars/" in result.stderr
        assert "nothing was set up" in result.stderr


def test_once_set_up_it_needs_no_network(tmp_path: Path) -> None:
    """In a network namespace with nothing but the loopback interface, the demo runs all the same."""
    alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine makes no network namespaces for us")
    demo = [RUN, java.ROOT / "properties" / "demo.properties", "--demoSeconds", "2", "--logDirectory", tmp_path]
    result = end_of([*alone, *demo])
    assert (result.returncode, result.stderr) == (0, "")
    assert "source = destination: yes" in result.stdout


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A wrong path ends with 22 and says which."""
    result = run("nowhere.properties", cwd=tmp_path)
    assert result.returncode == 22
    assert "nowhere.properties: can't be read (No such file or directory)" in result.stderr


def test_nothing_given_ends_with_22() -> None:
    """No arguments: what to do, and 22."""
    result = run()
    assert result.returncode == 22
    assert "properties/replication.properties" in result.stderr


def test_help_lists_every_setting() -> None:
    """``help settings`` ends with 0 and has them in groups."""
    result = run("help", "settings")
    assert result.returncode == 0
    assert result.stdout.index("Source:") < result.stdout.index("--sourceRegion") < result.stdout.index("Destination:")


def test_a_module_in_the_current_directory_is_not_ours(tmp_path: Path) -> None:
    """Files of the user's directory that share a name with a module of ours, or of Python's, are never imported."""
    for name in ("processor", "json", "boto3"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hijacked')")
    result = run("--help", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_term_during_the_start_is_a_clean_end(tmp_path: Path) -> None:
    """SIGTERM before anything runs leaves nothing behind."""
    demo = [java.ROOT / "properties" / "demo.properties", "--logDirectory", tmp_path, "--taskName", "early"]
    with subprocess.Popen([RUN, *demo], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as started:
        assert started.stdout is not None
        assert "Starting two " in started.stdout.readline()
        family = until(lambda: psutil.Process(started.pid).children(recursive=True), "its servers")
        started.terminate()
        assert started.wait(PATIENCE_SECONDS) == 0
    assert [process for process in family if not has_ended(process)] == []


def test_the_demo_on_a_terminal_shows_a_table_and_ctrl_c_ends_everything(tmp_path: Path) -> None:
    """A terminal gets the live view; Ctrl-C stops writing, and all that was started when the tables are equal."""
    demo = [java.ROOT / "properties" / "demo.properties", "--logDirectory", tmp_path, "--taskName", "terminal"]
    ours, theirs = pty.openpty()
    with subprocess.Popen([RUN, *demo], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as started:
        os.close(theirs)
        screen = _read_until(ours, b"source = destination", b"replicated", b"yes")
        family = psutil.Process(started.pid).children(recursive=True)
        started.send_signal(signal.SIGINT)
        screen += _read_until(ours, b"Logs are in")
        assert started.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    ended = screen[screen.index(b"Nothing is written any more") :]
    assert b"source = destination: yes" in ended
    assert re.search(rb"The tables are equal: all \d+ writes are at the destination", ended), ended
    assert b"lag p50 / p95" in screen
    assert b"\x1b[1A" in screen  # drawn in place: the cursor goes up again
    assert rb"\u001b" not in screen
    assert str(tmp_path / "terminal").encode() in screen
    assert len(family) > 2
    assert [process for process in family if not has_ended(process)] == []


def _read_until(descriptor: int, *words: bytes) -> bytes:
    screen = b""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            screen += os.read(descriptor, 65536)
        except OSError:  # the other end is closed
            break
        if all(word in screen for word in words):
            return screen
    raise AssertionError(f"never showed {words!r}:\n{screen.decode(errors='replace')[-2000:]}")
