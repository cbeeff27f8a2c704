"""The user's own function, a guest."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from processor.errors import UnviewableError
from processor.system.signals import Interrupted
from processor.view import task_view
from processor.view.transform import Transform, TransformError, forgotten_afterwards, load
from tests.fakes.task.tasks import task
from tests.unit.view.test_projection import attributes_of, item_of

SECRET = "ada@example.com"
ITEM = {"id": {"S": "a"}, "email": {"S": SECRET}, "n": {"N": "1.0"}}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[[str], Transform]]:
    """Makes a transform of a module's text."""
    before = [*sys.path]
    number = iter(range(100))
    names = []

    def make(text: str) -> Transform:
        name = f"guest_{tmp_path.name.replace('-', '_')}_{next(number)}"
        names.append(name)
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        loaded = load(f"{name}:view", str(tmp_path))
        return Transform(loaded.function, file=loaded.file, key_names=["id"])

    yield make
    sys.path[:] = before
    for name in names:
        sys.modules.pop(name, None)


def test_it_gets_a_copy_and_says_what_becomes_of_it(made: Callable[[str], Transform]) -> None:
    """What it changes in place, and does not return, is not seen."""
    seen = made("def view(item):\n    item['new'] = {'S': 'x'}\n    del item['email']\n    return item")
    attributes = attributes_of(ITEM)
    assert item_of(seen(attributes) or {}) == {"id": {"S": "a"}, "n": {"N": "1.0"}, "new": {"S": "x"}}
    assert item_of(attributes) == ITEM
    assert made("def view(item):\n    item.clear()")(attributes) is None
    assert item_of(attributes) == ITEM


RAISING = {
    "raise ValueError(item['email']['S'])": r"transform raised ValueError at guest_\w+\.py:2, in view$",
    "return item[item['email']['S']]": r"transform raised KeyError at guest_\w+\.py:2, in view$",
    "import json; json.loads(item['email']['S'])": r"transform raised JSONDecodeError at guest_\w+\.py:2, in view$",
    "import sys; sys.exit(0)": r"transform raised SystemExit at guest_\w+\.py:2, in view$",
    "return view(item)": r"transform raised RecursionError at guest_\w+\.py:2, in view$",
    "raise KeyboardInterrupt(item['email']['S'])": r"transform raised KeyboardInterrupt at guest_\w+\.py:2, in view$",
    "raise GeneratorExit": r"transform raised GeneratorExit at guest_\w+\.py:2, in view$",
    "import asyncio; raise asyncio.CancelledError": r"transform raised CancelledError at guest_\w+\.py:2, in view$",
    "raise type('Own', (BaseException,), {})": r"transform raised Own at guest_\w+\.py:2, in view$",
}


@pytest.mark.parametrize("line", RAISING)
def test_what_it_raises_is_named_without_the_item(line: str, made: Callable[[str], Transform]) -> None:
    """By its kind and its line; its own words may repeat the item."""
    with pytest.raises(UnviewableError, match=RAISING[line]) as raised:
        made(f"def view(item):\n    {line}")(attributes_of(ITEM))
    assert raised.value.code == "TransformFailed"
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_machine_without_memory_is_not_the_items_fault(made: Callable[[str], Transform]) -> None:
    """It may pass, so the change is not refused for it; neither is a signal to a command."""
    for error in ("MemoryError", "Interrupted(15)"):
        text = f"from processor.system.signals import Interrupted\ndef view(item):\n    raise {error}"
        with pytest.raises((MemoryError, Interrupted)):
            made(text)(attributes_of(ITEM))


RUBBISH: dict[str, tuple[str, str]] = {
    "no dict": ("'text'", "it is a str instead of a dict"),
    "plain values": ("{'id': {'S': 'a'}, 'n': 1}", "not of the form"),
    "two types": ("{'id': {'S': 'a', 'N': '1'}}", "not of the form"),
    "an unknown type": ("{'id': {'S': 'a'}, 'x': {'X': 'y'}}", "none of DynamoDB's"),
    "a number as a number": ("{'id': {'S': 'a'}, 'n': {'N': 1}}", "an N is not a str"),
    "no number": ("{'id': {'S': 'a'}, 'n': {'N': 'x'}}", "an N is no number"),
    "NaN": ("{'id': {'S': 'a'}, 'n': {'N': 'NaN'}}", "an N is no number"),
    "39 digits": ("{'id': {'S': 'a'}, 'n': {'N': '1' * 39}}", "more than 38 digits"),
    "1E126": ("{'id': {'S': 'a'}, 'n': {'N': '1E126'}}", "too large"),
    "bytes": ("{'id': {'S': 'a'}, 'b': {'B': b'x'}}", "in base64"),
    "an empty set": ("{'id': {'S': 'a'}, 's': {'SS': []}}", "empty"),
    "a set with equal members": ("{'id': {'S': 'a'}, 's': {'NS': ['1', '1.0']}}", "twice"),
    "half of a character": (r"{'id': {'S': 'a'}, 's': {'S': '\ud800'}}", "half of a character"),
    "a false NULL": ("{'id': {'S': 'a'}, 's': {'NULL': False}}", "NULL"),
    "without its key": ("{'n': {'N': '1'}}", "it has another id"),
    "another key": ("{'id': {'S': 'b'}}", "it has another id"),
    "a key of another type": ("{'id': {'N': '1'}}", "it has another id"),
    "too large": ("{'id': {'S': 'a'}, 's': {'S': 'x' * 410_000}}", "more than an item's"),
    "too deep": ("{'id': {'S': 'a'}, 'd': deep}", "nested deeper"),
    "its own circle": ("{'id': {'S': 'a'}, 'd': circle}", "nested deeper"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_refused(name: str, made: Callable[[str], Transform]) -> None:
    """With what is wrong with it."""
    returned, reason = RUBBISH[name]
    text = f"""
        def view(item):
            deep = {{'S': 'x'}}
            for _ in range(40):
                deep = {{'L': [deep]}}
            circle = {{'L': []}}
            circle['L'].append(circle)
            return {returned}
    """
    with pytest.raises(UnviewableError, match=reason) as raised:
        made(text)(attributes_of(ITEM))
    assert raised.value.code == "TransformResultInvalid"


def test_an_equal_key_in_another_notation_is_the_key() -> None:
    """A number is what it is."""
    seen = Transform(lambda item: {**item, "id": {"N": "1.00"}}, file="", key_names=["id"])
    assert item_of(seen(attributes_of({"id": {"N": "1"}})) or {}) == {"id": {"N": "1.00"}}


class _Text(str):
    """A guest's own kind of text, which JSON does not know."""

    __slots__ = ()


def test_a_value_of_the_guests_own_class_is_no_items() -> None:
    """It is refused as any other result that can't be written, and not taken for a bug of ours."""
    view = Transform(lambda item: {**item, "a": {"S": _Text("x")}}, file="", key_names=["id"])
    with pytest.raises(UnviewableError, match="can't be written as JSON") as caught:
        view(attributes_of({"id": {"S": "x"}}))
    assert caught.value.code == "TransformResultInvalid"


class _Raising(dict[str, object]):
    """A guest's own kind of dict."""

    def items(self) -> NoReturn:  # type: ignore[override]  # what a guest may well do
        """Raise."""
        raise KeyboardInterrupt


def test_a_result_that_raises_is_no_item() -> None:
    """Whatever its methods raise is the guest's, too."""
    with pytest.raises(UnviewableError, match=r"can't be written as JSON \(KeyboardInterrupt\)"):
        Transform(_Raising, file="", key_names=["id"])(attributes_of({"id": {"S": "x"}}))


UNUSABLE: dict[str, tuple[str, str]] = {
    "def other(item): pass": ("view", "has no function view"),
    "view = 7": ("view", "has no function view"),
    "import nothing_of_that_name": ("view", r"raised ModuleNotFoundError at \w+\.py:1"),
    "this is no Python": ("view", "raised SyntaxError"),
    "raise SystemExit(0)": ("view", "raised SystemExit"),
    "raise KeyboardInterrupt": ("view", "raised KeyboardInterrupt"),
}


@pytest.mark.parametrize("text", UNUSABLE)
def test_what_cannot_be_imported(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said before anything begins."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = f"unusable_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(TransformError, match=UNUSABLE[text][1]):
        load(f"{name}:{UNUSABLE[text][0]}", str(tmp_path))


def test_a_module_elsewhere_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of that name is found first: the program's own modules can't be replaced."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "json.py").write_text("def loads(item): return item")
    with pytest.raises(TransformError, match="which is not in transformPath"):
        load("json:loads", str(tmp_path))
    with pytest.raises(TransformError, match="is no folder"):
        load("json:loads", str(tmp_path / "missing"))


def test_what_it_prints_at_its_import_is_no_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes to standard error, for standard output may be JSON."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "printing_guest.py").write_text("print('hello')\ndef view(item): return item")
    load("printing_guest:view", str(tmp_path))
    assert capsys.readouterr() == ("", "hello\n")


def test_another_task_may_have_a_module_of_the_same_name(tmp_path: Path) -> None:
    """A command with several tasks forgets each one's folder; what Python has loaded otherwise stays."""
    paths = [*sys.path]
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "same_name.py").write_text(f"import wave\ndef view(item):\n    return {name!r}\n")
        with forgotten_afterwards():
            loaded = load("same_name:view", str(folder))
            assert (loaded.function({}), loaded.file) == (name, str(folder / "same_name.py"))
        assert sys.path == paths
        assert "same_name" not in sys.modules
    assert "wave" in sys.modules


@pytest.fixture
def _imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is imported is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    with forgotten_afterwards():
        yield


@pytest.mark.usefixtures("_imports")
@pytest.mark.parametrize("changed", ["kept_guest.py", "kept_helper.py"])
def test_it_is_what_the_files_have_when_it_is_loaded(changed: str, tmp_path: Path) -> None:
    """A process that outlives a task does not go on by the text of before, under the digest of the new one."""
    texts = {
        "kept_guest.py": "import kept_helper\ndef view(item): return [kept_helper.VALUE, 'was']\n",
        "kept_helper.py": "VALUE = 'was'\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    before = load("kept_guest:view", str(tmp_path))
    assert load("kept_guest:view", str(tmp_path)) == before
    (tmp_path / changed).write_text(texts[changed].replace("'was'", "'is now'"))
    after = load("kept_guest:view", str(tmp_path))
    assert before.function({}) == ["was", "was"], "whoever has it may go on calling it"
    assert sorted(after.function({})) == ["is now", "was"]
    assert (after.digest != before.digest) is (changed == "kept_guest.py")


@pytest.mark.usefixtures("_imports")
def test_each_task_of_a_daemon_has_its_own_folder(tmp_path: Path) -> None:
    """Two tasks that are looked at in turn have modules of one name, each the one in its own folder."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same_name.py").write_text(f"def view(item):\n    return {name!r}\n")
    for name in ("one", "other", "one"):
        loaded = load("same_name:view", str(tmp_path / name))
        assert (loaded.function({}), loaded.file) == (name, str(tmp_path / name / "same_name.py"))


@pytest.mark.usefixtures("_imports")
def test_what_it_imports_when_it_is_called_is_its_own(tmp_path: Path) -> None:
    """In a process that was forked for one task, from one that has loaded another one's modules since."""
    tasks = {}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "late_guest.py").write_text(f"NAME = {name!r}\n")
        text = "def view(item):\n    import late_guest\n    return late_guest.NAME\n"
        (tmp_path / name / "same_name.py").write_text(text)
        tasks[name] = task(transform="same_name:view", transformPath=str(tmp_path / name))
    function = load("same_name:view", str(tmp_path / "one")).function
    (tmp_path / "other" / "same_name.py").write_text(f"import late_guest\n{text}")
    load("same_name:view", str(tmp_path / "other"))
    task_view.at_home(tasks["one"])
    assert function({}) == "one"
