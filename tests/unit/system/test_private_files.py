"""What is ours alone, beside other users."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.commands.verify.report import OutputFile
from processor.errors import DeadLetterError, SetupError, UsageError
from processor.replication.dead_letters import file_store
from processor.replication.dead_letters.file_store import LetterFile
from processor.settings.daemon_files import SETTINGS_VARIABLE, handed_down
from processor.startup import java, places
from processor.startup.slot import claim_slot
from processor.system import private_files
from processor.system.private_files import NotOursError, check, check_content, make_folder, open_file
from tests.fakes.machine.other_user import give_away
from tests.fakes.task.letters import letter
from tests.fakes.task.tasks import task


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Whatever a shell has set."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_what_is_made_is_ours_alone(tmp_path: Path, umask: int) -> None:
    """Folders 0700 and files 0600, whatever the umask, which can only take away."""
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    os.close(open_file(folder / "file", os.O_WRONLY | os.O_CREAT))
    assert [_mode(path) for path in (folder, folder.parent)] == [0o700] * 2
    assert _mode(folder / "file") == 0o600 & ~umask


@pytest.mark.parametrize("mode", [0o777, 0o757])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int, above: int) -> None:
    """Itself, or any above: whoever can write that can put another in its place. The remedy names it."""
    folder = tmp_path / "a" / "b" / "c"
    make_folder(folder)
    wide = [folder, *folder.parents][above]
    wide.chmod(mode)
    for act in (check, make_folder):
        with pytest.raises(NotOursError, match=f"^{wide} can be written by every user \\(mode 0{mode:o}\\)$") as caught:
            act(folder)
        assert f"chmod go-w {wide}" in caught.value.remedy
    check(folder, shared=True)


def test_a_sticky_folder_protects_what_is_in_it_and_not_itself(tmp_path: Path) -> None:
    """As /tmp: others can't rename what is ours there, and can make files of theirs beside it."""
    tmp_path.chmod(0o1777)
    make_folder(tmp_path / "ours")
    check(tmp_path / "not-there-yet")
    with pytest.raises(NotOursError, match="every user"):
        check(tmp_path)


def test_a_group_of_others_is_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group's bit counts, but for root's group and one that has nobody in it but us."""
    folder = tmp_path / "folder"
    make_folder(folder)
    folder.chmod(0o770)
    monkeypatch.setattr(private_files, "_is_ours_alone", lambda group: group != folder.stat().st_gid)
    with pytest.raises(NotOursError, match=r"can be written by the group .* \(mode 0770\)"):
        check(folder)
    monkeypatch.undo()
    assert private_files._is_ours_alone(0)
    assert not private_files._is_ours_alone(54321)


def test_what_others_have_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, whatever its mode, and with ``allowSharedFolders``, too."""
    folder = tmp_path / "theirs"
    make_folder(folder)
    whose = give_away(folder, monkeypatch)
    for shared in (False, True):
        with pytest.raises(NotOursError, match="belongs to ") as caught:
            check(folder / "task", shared=shared)
        assert whose in str(caught.value)


def test_a_link_is_followed_only_where_it_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own link to another disk stays fine; one that somebody else made decides nothing."""
    (tmp_path / "disk").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to("disk")
    make_folder(link / "task")
    assert (tmp_path / "disk" / "task").is_dir()
    (tmp_path / "disk").chmod(0o777)
    with pytest.raises(NotOursError, match="disk can be written"):
        check(link / "task")
    (tmp_path / "disk").chmod(0o700)
    whose = give_away(link, monkeypatch)
    with pytest.raises(NotOursError, match="belongs") as caught:
        check(link / "task")
    assert whose in str(caught.value)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """As the system's own error."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        check(tmp_path / "a")


def test_what_was_planted_in_our_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a time when others could write there: a link would have us append to a file of its maker's choice."""
    (tmp_path / "kcl.log").write_text("ours")
    (tmp_path / "kcl.log").chmod(0o666)
    check_content(tmp_path)
    assert _mode(tmp_path / "kcl.log") == 0o644
    planted = tmp_path / "replication.log"
    planted.symlink_to("/etc/passwd")
    whose = give_away(planted, monkeypatch)
    with pytest.raises(NotOursError, match="belongs") as caught:
        check_content(tmp_path)
    assert whose in str(caught.value)


@pytest.mark.parametrize("planted", ["file", "link", "pipe"])
def test_what_is_put_there_after_the_look_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    """Where others may make files, one that is missing may be theirs a moment later: what is open is checked, too."""
    tmp_path.chmod(0o1777)
    path, precious = tmp_path / "keys", tmp_path / "precious"
    precious.write_text("precious")
    look = private_files.check

    def late(looked_at: Path, **more: Any) -> None:
        look(looked_at, **more)
        if planted == "file":
            path.write_text("theirs")
        elif planted == "link":
            path.symlink_to(precious)
            return  # ours, for a kernel that protects links would refuse another's by itself
        else:
            os.mkfifo(path)
            monkeypatch.setattr(os, "open", lambda place, flags, mode: real(place, flags | os.O_NONBLOCK, mode))
        give_away(path, monkeypatch)

    real = os.open
    monkeypatch.setattr(private_files, "check", late)
    with pytest.raises(OSError, match=r"belongs to|symbolic links"):
        open_file(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    assert precious.read_text() == "precious"
    assert planted != "file" or path.read_text() == "theirs"


def test_no_daemon_starts_beside_what_was_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is ours by now, from a time when it was not: what lies there is looked at before it is used."""
    settings = task(logDirectory=str(tmp_path), taskName="t")
    claim_slot(settings)
    planted = tmp_path / "t" / "replication.log"
    planted.symlink_to("/etc/passwd")
    whose = give_away(planted, monkeypatch)
    with pytest.raises(SetupError, match="run programs as this user") as caught:
        claim_slot(settings)
    assert whose in str(caught.value)


def _claim(folder: Path) -> None:
    claim_slot(task(logDirectory=str(folder), taskName="t"))


def _looked_at(folder: Path) -> None:
    (found,) = places.log_directory(task(logDirectory=str(folder), taskName="t"))
    raise SetupError(found.object, found.value, found.consequence, found.remedy)


@pytest.mark.parametrize("act", [_claim, _looked_at])
@pytest.mark.parametrize("what", ["above", "folder"])
def test_no_daemon_starts_in_anothers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None], what: str
) -> None:
    """The attack: another user makes ``<taskName>/`` first, in a folder that all can write. ``check`` says it, too."""
    shared = tmp_path / "shared"
    (shared / "t").mkdir(parents=True)
    if what == "above":
        shared.chmod(0o777)
    else:
        shared.chmod(0o1777)
        give_away(shared / "t", monkeypatch)
    with pytest.raises(SetupError, match="run programs as this user") as caught:
        act(shared)
    assert (caught.value.exit_status, list((shared / "t").iterdir())) == (22, [])
    for words in ("directory", str(shared), "logDirectory"):
        assert words in str(caught.value)


def test_a_container_s_volume_is_taken_where_that_is_said(tmp_path: Path) -> None:
    """``allowSharedFolders``: Kubernetes makes an emptyDir for everybody."""
    tmp_path.chmod(0o2777)
    settings = task(logDirectory=str(tmp_path), taskName="t", allowSharedFolders="true")
    assert list(places.log_directory(settings)) == []
    slot = claim_slot(settings)
    assert _mode(slot.directory) & 0o777 == 0o700


def test_a_child_takes_no_settings_of_others(tmp_path: Path) -> None:
    """They are looked at once they are open."""
    file = tmp_path / "child.json"
    file.write_text("{}")
    file.chmod(0o666)
    with pytest.raises(NotOursError, match="every user"):
        handed_down({SETTINGS_VARIABLE: str(file)})


def test_dead_letters_go_to_no_file_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold whole items. The change is kept, and ``check`` says it before."""
    path = tmp_path / "letters" / "file"
    LetterFile(path).put(letter("a"))
    path.parent.chmod(0o1777)
    LetterFile(path).put(letter("b"))
    whose = give_away(path, monkeypatch)
    kept = path.read_bytes()
    monkeypatch.setattr(file_store, "_other_owner", lambda _: None)
    for act in (lambda: LetterFile(path).put(letter("c")), lambda: list(LetterFile(path).entries())):
        with pytest.raises(DeadLetterError, match="belongs to ") as caught:
            act()
        assert whose in str(caught.value)
    assert path.read_bytes() == kept
    (found,) = places.letters_file(task(onError="deadLetter", deadLetterUri=path.as_uri()))
    assert (found.severity, found.cause) == ("error", "setup")
    assert whose in found.value


def test_a_planted_link_leads_no_letters_into_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor reads or clears one, though the file behind it is ours."""
    (tmp_path / "ours").write_bytes(b"precious\n")
    (tmp_path / "sticky").mkdir()
    (tmp_path / "sticky").chmod(0o1777)
    path = tmp_path / "sticky" / "letters"
    path.symlink_to(tmp_path / "ours")
    LetterFile(path).put(letter("a"))  # our own
    (tmp_path / "ours").write_bytes(b"precious\n")
    give_away(path, monkeypatch)
    with pytest.raises(DeadLetterError, match="belongs to "):
        LetterFile(path).put(letter("a"))
    assert (tmp_path / "ours").read_bytes() == b"precious\n"


def test_root_sees_to_the_letters_of_a_daemon(tmp_path: Path) -> None:
    """Whose folder and file are another user's: redrive by root is as good as by that user."""
    folder = tmp_path / "daemon"
    folder.mkdir(mode=0o700)
    path = folder / "letters"
    LetterFile(path).put(letter("a"))
    if os.geteuid() == 0:
        for part in (folder, path):
            give_away(part)
    entries = list(LetterFile(path).entries())
    assert LetterFile(path).remove(entries) == 1
    assert path.stat().st_uid == folder.stat().st_uid


@pytest.mark.parametrize("planted", ["file", "link", "pipe"])
def test_results_go_to_no_file_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    """``verify --output`` in /tmp: no file, link or pipe that somebody else put there; nothing is written over."""
    tmp_path.chmod(0o1777)
    path, precious = tmp_path / "keys", tmp_path / "precious"
    precious.write_text("precious")
    if planted == "file":
        path.write_text("theirs")
    elif planted == "link":
        path.symlink_to(precious)
    else:
        os.mkfifo(path)
    give_away(path, monkeypatch)
    with pytest.raises(UsageError, match=f"--output {path}: .* belongs to .* Nothing was compared"):
        OutputFile(path)
    assert precious.read_text() == "precious"


def test_a_device_s_folder_protects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux's /dev/shm is as /tmp: a link that somebody else made there leads nowhere."""
    path, precious = Path(f"/dev/shm/{uuid.uuid4()}"), Path(f"/dev/shm/{uuid.uuid4()}")  # noqa: S108  # that is the point
    precious.write_text("precious")
    path.symlink_to(precious)
    try:
        give_away(path, monkeypatch)
        with pytest.raises(UsageError, match="belongs to "):
            OutputFile(path)
        assert precious.read_text() == "precious"
    finally:
        path.unlink()
        precious.unlink()


def test_results_go_to_where_standard_output_goes(tmp_path: Path) -> None:
    """A file of ours, by the kernel's links."""
    imports = "from pathlib import Path; from processor.commands.verify.report import OutputFile"
    command = f"{imports}; OutputFile(Path('/dev/stdout')).write(b'x')"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", command], stdout=out, check=True, cwd=java.ROOT)
    assert (tmp_path / "out").read_text() == "x"


def test_results_go_to_a_standard_stream(capfd: pytest.CaptureFixture[str]) -> None:
    """Whose links are the kernel's."""
    with OutputFile(Path("/dev/stdout")) as file:
        file.write(b"line\n")
    assert capfd.readouterr().out == "line\n"
