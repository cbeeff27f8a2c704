"""Which tasks files and directories name, what they inherit, and where a value stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from processor.errors import UsageError
from processor.settings import task_files
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile


def _write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.properties").write_text(text)
    return folder


def _shown(*paths: str | Path) -> list[tuple[str, str | None]]:
    return [(file.path, file.common) for file in task_files.find([str(path) for path in paths])]


def test_each_properties_file_of_a_directory_is_a_task(tmp_path: Path) -> None:
    """In the order of the names, whatever the file system's; what others put there is passed over."""
    conf = _write(tmp_path / "conf", b="", a="", B="", common="")
    for name in (".a.properties", ".#a.properties", "#a.properties#", "~$a.properties", "a.properties~", "notes.txt"):
        (conf / name).write_text("rubbish")
    (conf / ".a.properties.swp").write_text("rubbish")
    common = f"{conf}/common.properties"
    assert _shown(conf) == [(f"{conf}/{name}.properties", common) for name in ("B", "a", "b")]


def test_a_config_map_is_a_directory_of_tasks(tmp_path: Path) -> None:
    """Kubernetes mounts it as links to files of a hidden directory, which is itself a link."""
    data = _write(tmp_path / "..2026_11_27", orders="", common="")
    (tmp_path / "..data").symlink_to(data.name)
    for name in ("orders", "common"):
        (tmp_path / f"{name}.properties").symlink_to(f"..data/{name}.properties")
    assert _shown(tmp_path) == [(f"{tmp_path}/orders.properties", f"{tmp_path}/common.properties")]


def test_what_a_shell_makes_of_a_pattern_is_the_directory(tmp_path: Path) -> None:
    """``conf/*.properties`` names the common file, too: it is inherited, and no task."""
    conf = _write(tmp_path / "conf", a="", b="", common="")
    assert _shown(*sorted(conf.glob("*.properties"))) == _shown(conf)
    assert _shown(conf, conf / "a.properties") == _shown(conf)


def test_files_by_themselves_inherit_nothing(tmp_path: Path) -> None:
    """They are as they are alone; their order is the command line's."""
    conf = _write(tmp_path / "conf", a="", b="", common="")
    assert _shown(conf / "b.properties", conf / "a.properties") == [
        (f"{conf}/b.properties", None),
        (f"{conf}/a.properties", None),
    ]


@pytest.mark.parametrize("names", [{}, {"common": ""}])
def test_a_directory_without_a_task_is_refused(tmp_path: Path, names: dict[str, str]) -> None:
    """It may be the wrong one."""
    with pytest.raises(UsageError, match=r"conf: no task\. Nothing was done"):
        task_files.find([str(_write(tmp_path / "conf", **names))])


def test_a_tasks_own_value_wins(tmp_path: Path) -> None:
    """And each value is known by its file and line, whatever stands between, and under our name for it."""
    common = "# of all\n\nsourceRegion = eu-west-1\nbatchSize=1\nfilter=a \\\n  b\nkclRegion:us-east-1\n"
    conf = _write(tmp_path / "conf", common=common, a="\r\nmaxRecords=2\r\n\r\nsourceTable=x\r\nsourceTable=y\r\n")
    (file,) = task_files.find([str(conf)])
    written = file.read()
    assert {**written.inherited, **written.own} == {
        "sourceRegion": "eu-west-1",
        "batchSize": "2",
        "filter": "a b",
        "kclRegion": "us-east-1",
        "sourceTable": "y",
    }
    assert written.places == {
        "sourceRegion": f"{conf}/common.properties:3",
        "batchSize": f"{conf}/a.properties:2",
        "filter": f"{conf}/common.properties:5",
        "kclRegion": f"{conf}/common.properties:7",
        "sourceTable": f"{conf}/a.properties:5",
    }


@pytest.mark.parametrize("name", ["a", "common"])
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, name: str) -> None:
    """The task's own as the one that it inherits: a link that leads nowhere, a folder, a pipe, broken syntax."""
    conf = _write(tmp_path / "conf", a="", common="")
    path = conf / f"{name}.properties"
    path.unlink()

    def message() -> str:
        (file,) = task_files.find([str(conf)])
        with pytest.raises(UsageError) as refused:
            file.read()
        return str(refused.value)

    path.symlink_to("nowhere")
    assert message().startswith(f"Properties file {path}: can't be read (No such file or directory)")
    path.unlink()
    os.mkfifo(path)
    assert message().startswith(f"Properties file {path}: is no file")
    path.unlink()
    path.mkdir()
    assert message().startswith(f"Properties file {path}: is no file")
    path.rmdir()
    path.write_text("a=\\uzzzz")
    assert message().startswith(f"Properties file {path}: The properties file has a broken Unicode escape")


def test_one_is_chosen_by_its_name(tmp_path: Path) -> None:
    """A name that none has, or two have, is refused with what there is."""
    conf, other = _write(tmp_path / "conf", a="", b=""), _write(tmp_path / "other", b="")
    files = task_files.find([str(conf), str(other)])
    assert task_files.choose(files, "a").path == f"{conf}/a.properties"
    with pytest.raises(UsageError, match=r"--task c: there is no such task .* There are a, b\."):
        task_files.choose(files, "c")
    with pytest.raises(UsageError, match=r"conf/b\.properties and .*other/b\.properties have that name"):
        task_files.choose(files, "b")


@pytest.mark.parametrize("kind", ["file", "directory", "two", "nowhere"])
def test_only_more_than_one_file_is_many(tmp_path: Path, kind: str) -> None:
    """One file is never many, be it there or not."""
    conf = _write(tmp_path / "conf", a="")
    words = {
        "file": [conf / "a.properties"],
        "directory": [conf],
        "two": [conf / "a.properties", tmp_path / "nowhere"],
        "nowhere": [tmp_path / "nowhere"],
    }[kind]
    assert task_files.are_many([str(word) for word in words]) == (kind in {"directory", "two"})


def test_places_are_of_whole_names() -> None:
    """What a message names, and not what has a name within a longer word."""
    task = NamedTask(file=TaskFile(path="a"), places={"filter": "a:1", "filterNames": "a:2", "k.region": "a:3"})
    assert task.places_in("filterNames: it has none") == {"filterNames": "a:2"}
    assert task.places_in("filter=x, k.region.") == {"filter": "a:1", "k.region": "a:3"}
