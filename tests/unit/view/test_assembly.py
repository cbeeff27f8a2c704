"""The view of a running daemon's children."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from processor.errors import SetupError
from processor.settings.daemon_files import VIEW_FILE, ViewBasis
from processor.settings.settings import Settings
from processor.system.private_files import NotOursError
from processor.view import task_view
from tests.fakes.task.tasks import task as settings_of
from tests.unit.view.test_item_view import KEY, seen


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With a mask."""
    monkeypatch.setenv("MASK", KEY)
    return settings_of(maskAttributes="a", maskKey="env:MASK")


def _hand_down(settings: Settings, folder: Path) -> None:
    """As a start does, beside the settings themselves, which go through JSON, too."""
    basis = ViewBasis(key_types={"id": "S"}, digest=task_view.digest_of(settings))
    file = folder / VIEW_FILE
    file.write_bytes(msgspec.json.encode(basis))
    file.chmod(0o600)


def test_children_have_the_view_that_the_daemon_began_with(settings: Settings, tmp_path: Path) -> None:
    """From the settings and the key's attributes alone, without a call to AWS."""
    _hand_down(settings, tmp_path)
    child = msgspec.json.decode(msgspec.json.encode(settings), type=Settings)
    assert child == settings
    view = task_view.handed_down(child, tmp_path)
    assert view is not None
    assert len(seen(view, {"id": {"S": "x"}, "a": {"S": "y"}})["a"]["S"]) == 64
    assert task_view.handed_down(settings_of(), tmp_path / "nowhere") is None


def test_another_key_is_refused(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of one daemon never mask in two ways."""
    _hand_down(settings, tmp_path)
    monkeypatch.setenv("MASK", KEY[::-1])
    with pytest.raises(SetupError, match="has changed since the daemon began"):
        task_view.handed_down(settings, tmp_path)
    monkeypatch.delenv("MASK")
    with pytest.raises(SetupError, match="MASK of the environment is empty"):
        task_view.handed_down(settings, tmp_path)


def test_a_file_of_somebody_elses_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Who could write it could change the view."""
    _hand_down(settings, tmp_path)
    (tmp_path / VIEW_FILE).chmod(0o666)
    with pytest.raises(NotOursError):
        task_view.handed_down(settings, tmp_path)
