"""What is run from, beside other users: what they could change is said, and what everybody could is refused."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from processor.reporting.findings import Finding
from processor.settings.settings import Settings
from processor.startup import fact_reader, installation, java, preflight
from processor.startup.facts import Facts
from processor.startup.installation import InstalledPart, _members, findings
from processor.system import program
from tests.fakes.machine.other_user import UID, give_away
from tests.fakes.task.tasks import task

PACKAGES = ".venv/lib/python3/site-packages"
DEEP = f"{PACKAGES}/botocore/data/dynamodb.json"
RUN = (
    "run.sh",
    "requirements.lock",
    "processor/start.py",
    "processor/copy/job.py",
    "processor/__pycache__/start.pyc",
    "properties/logback.xml",
    "daemon/src/Daemon.java",
    "jars/daemon.jar",
    ".venv/pyvenv.cfg",
    ".venv/bin/pip",
    f"{PACKAGES}/replicator.pth",
    f"{PACKAGES}/amazon_kclpy/jars/kcl.jar",
)
FOLDERS = (
    "",
    "processor",
    "processor/copy",
    "jars",
    ".venv",
    ".venv/bin",
    ".venv/lib",
    PACKAGES,
    f"{PACKAGES}/botocore",
)
NOT_RUN = ("docs/page.md", "tests/test_a.py", "logs/setup.log", ".git/config")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with all its parts, which this process is made to run from."""
    root = tmp_path / "parent" / "checkout"
    for name in (*RUN, DEEP, *NOT_RUN):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for path in [root.parent, *root.parent.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    (root / ".venv" / "bin" / "python3").symlink_to(sys.executable)
    monkeypatch.setattr(program, "ROOT", root)
    monkeypatch.setattr(java, "folders", lambda: [root / PACKAGES / "amazon_kclpy" / "jars", root / "jars"])
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    others = [entry for entry in sys.path if not entry.endswith("-packages")]
    monkeypatch.setattr(sys, "path", [*others, str(root / PACKAGES)])
    return root


def _said(*, thorough: bool = False, **changed: str) -> list[tuple[str, str]]:
    return [(each.severity, each.value) for each in findings(task(**changed), thorough=thorough)]


def _have_belong_to_another(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Only root can give a file away; for anybody else it is only seen so."""
    if os.geteuid() == 0:
        os.chown(path, UID, UID)
        return
    seen = installation._parts

    def parts(*, thorough: bool) -> Iterator[InstalledPart]:
        for part in seen(thorough=thorough):
            yield part._replace(uid=UID) if part.path == str(path) else part

    patch.setattr(installation, "_parts", parts)


def test_a_checkout_as_it_should_be(checkout: Path) -> None:
    """Nothing is said, and what a replication doesn't run is whose it may be."""
    for name in NOT_RUN:
        (checkout / name).chmod(0o666)
        (checkout / name).parent.chmod(0o777)
    assert [_said(thorough=thorough) for thorough in (False, True)] == [[], []]


@pytest.mark.parametrize("name", [*RUN, *FOLDERS, ".."])
def test_what_every_user_can_write_is_refused(checkout: Path, name: str) -> None:
    """Whatever is run, each folder of it, and those above: the message names it, and the command that puts it right."""
    path = Path(os.path.normpath(checkout / name))
    path.chmod(path.stat().st_mode | 0o002)
    for thorough in (False, True):
        ((finding),) = findings(task(), thorough=thorough)
        assert (finding.severity, finding.cause, finding.object) == ("error", "setup", f"installation {checkout}")
        assert finding.value.startswith(f"{path} can be written by every user (mode 0")
        assert "run programs as this user" in finding.consequence
        assert f"chmod -R o-w {checkout.parent if name == '..' else checkout}" in finding.remedy


def test_how_much_is_so_is_said(checkout: Path) -> None:
    """One message for all of it, as after ``chmod -R 777`` or with a umask of 000."""
    for path in checkout.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o777)
    ((severity, value),) = _said(thorough=True)
    assert (severity, "; the same holds for 2" in value) == ("error", True)


def test_check_looks_at_every_file_of_every_package(checkout: Path) -> None:
    """A start has no time for that."""
    (checkout / DEEP).chmod(0o666)
    assert _said() == []
    ((severity, value),) = _said(thorough=True)
    assert (severity, str(checkout / DEEP) in value) == ("error", True)


def test_a_sticky_folder_protects_what_is_in_it_and_not_itself(checkout: Path) -> None:
    """A checkout in /tmp is fine; in a package's folder others could put a module beside those that are there."""
    checkout.parent.chmod(0o1777)
    assert _said() == []
    (checkout / "processor").chmod(0o1777)
    assert [severity for severity, _ in _said()] == ["error"]


def test_one_that_is_for_nobody_else_is_taken_where_that_is_said(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``allowSharedFolders``: modes don't matter then, but whose a part is does."""
    (checkout / "jars").chmod(0o777)
    assert _said(allowSharedFolders="true") == []
    _have_belong_to_another(checkout / "jars" / "daemon.jar", monkeypatch)
    assert [severity for severity, _ in _said(allowSharedFolders="true")] == ["error"]


@pytest.mark.parametrize("name", [*RUN, "processor", "jars", PACKAGES, ".."])
def test_a_part_of_another_user_s_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Somebody put it there, or may do so again."""
    path = Path(os.path.normpath(checkout / name))
    _have_belong_to_another(path, monkeypatch)
    (finding,) = findings(task(), thorough=False)
    assert (finding.severity, finding.cause) == ("error", "setup")
    assert finding.value == f"{path} belongs to uid {UID}"


def test_one_that_another_user_deploys_is_taken_and_said(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts it from there trusts that user; the same user's parts are no more."""
    for path in [checkout, *checkout.rglob("*")] if os.geteuid() == 0 else [checkout]:
        give_away(path, monkeypatch)  # anybody but root is another user himself after the first
    ((severity, value),) = _said(thorough=True)
    assert severity == "warning"
    assert value.startswith("belongs to ")


def _in_a_group(patch: pytest.MonkeyPatch, path: Path, members: set[int]) -> None:
    path.chmod(path.stat().st_mode | 0o020)
    if os.geteuid() == 0:
        os.chown(path, 0, UID)
    patch.setattr(installation, "_members", lambda group: members if group == path.stat().st_gid else set())


def test_a_group_with_others_in_it_is_said(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team may share a checkout; each of its members is trusted by that, with what is his there, too."""
    _in_a_group(monkeypatch, checkout / "processor", {UID, os.geteuid()})
    (finding,) = findings(task(), thorough=False)
    assert finding.severity == "warning"
    assert finding.value.startswith(f"{checkout / 'processor'} can be written by the group ")
    assert finding.value.endswith(f"in which are uid {UID}")
    assert f"chmod -R g-w {checkout}" in finding.remedy
    _have_belong_to_another(checkout / "processor" / "start.py", monkeypatch)
    assert [severity for severity, _ in _said()] == ["warning"]
    assert _said(allowSharedFolders="true") == []


def test_a_large_group_is_not_listed_whole(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's directory may have thousands in one."""
    _in_a_group(monkeypatch, checkout / "processor", set(range(UID, UID + 1000)))
    ((_, value),) = _said()
    assert (f"uid {UID}, " in value, value.endswith(", 995 others")) == (True, True)


def test_a_group_of_the_user_s_own_is_no_others(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with Debian's umask of 002, where each user has a group."""
    _in_a_group(monkeypatch, checkout / "processor", {os.geteuid()})
    assert _said() == []
    monkeypatch.setattr(installation, "_members", lambda _: set())
    assert _said() == []


def test_who_is_in_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose own group it is, and those whom it lists."""
    user, root = pwd.getpwuid(os.geteuid()), pwd.getpwuid(0)
    assert user.pw_uid in _members(user.pw_gid)
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_mem=[root.pw_name, "nobody-of-this-name"]))
    assert _members(UID) == {0}
    monkeypatch.undo()
    assert _members(UID) == set()


@pytest.mark.parametrize("thorough", [False, True])
def test_a_start_looks_and_so_does_check(checkout: Path, monkeypatch: pytest.MonkeyPatch, thorough: bool) -> None:  # noqa: FBT001  # pytest's
    """It is one of the facts of the machine."""
    (checkout / "jars").chmod(0o777)

    def other_facts(_: Settings) -> list[Finding]:
        return []

    monkeypatch.setattr(fact_reader, "_installation", other_facts)
    everything = ("source", "destination", "checkpoints", "files")
    found = fact_reader.read(task(), None, unreachable=everything, thorough=thorough)[1]  # type: ignore[arg-type]
    assert [finding.object for finding in found] == [f"installation {checkout}"]
    assert preflight.PreflightReport(facts=Facts(), findings=found).errors == found
