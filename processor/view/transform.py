"""The user's own function, a guest in this process: ``transform``.

What it is told and what it may do:

1. It is imported before anything begins: by the start, which reports what is wrong with it, then once in the process
   that shards' children are forked from. Both may live longer than a task: what they load is what the file has then.
2. It gets a copy of the item, ``{name: {type: value}}``, and nothing else: no settings, clients or sessions.
3. What it returns is checked: an item that DynamoDB takes, with the same key, or None.
4. What it raises makes the change one that is never accepted (``onError``). What is said of it is the exception's type
   and the line that raised it. Its message is not said, for that may have a part of the item in it.
5. What it prints goes to standard error, which is the log's.

It runs as this user, so it can do whatever this program can: a properties file that names one is a program.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TextIO

import msgspec

from processor.dynamodb.attribute_values import InvalidValueError, check_item
from processor.dynamodb.items import same_value
from processor.errors import UnviewableError
from processor.flow import shapes
from processor.system.signals import Interrupted
from processor.view.projection import Attributes
from processor.view.transform_watch import TransformWatch

Function = Callable[[dict[str, Any]], Any]

_decoder: msgspec.json.Decoder[dict[str, Any]] = shapes.decoder(dict[str, Any])


_host = threading.local()


class _Stdout:
    """Standard output, but standard error for what a guest prints in its thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return (sys.stderr if getattr(_host, "has_guest", False) else self._stream).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _guest() -> Iterator[None]:
    """While the guest's code runs in this thread."""
    if not isinstance(sys.stdout, _Stdout):
        sys.stdout = _Stdout(sys.stdout)  # a TextIO by its attributes
    _host.has_guest = True
    try:
        yield
    finally:
        _host.has_guest = False


class TransformError(Exception):
    """The function can't be used; the text says why, and is a clause."""


class Transform:
    """Calls the function, and checks what it returns. Any number of threads may share it, if the function allows it.

    :param function: the user's
    :param file: the function's module, whose lines are named where it raises
    :param key_names: the key's attributes
    """

    def __init__(self, function: Function, *, file: str, key_names: Sequence[str]) -> None:
        self._watch = TransformWatch(Path(file).name)
        self._function = function
        self._file = file
        self._key_names = key_names

    def __call__(self, attributes: Attributes) -> Attributes | None:
        """What the function makes of an item, or None.

        :raises UnviewableError: it raised, or returned what is no item with that key
        """
        before = msgspec.json.encode(attributes)
        item = self._called(_decoder.decode(before))
        if item is None:
            return None
        try:
            return self._checked(item, attributes)
        except InvalidValueError as exc:
            message = f"transform returned what is no item: {exc}"
        except (Interrupted, MemoryError):
            raise
        except BaseException as exc:  # noqa: BLE001  # its own classes' methods may raise whatever a guest raises
            message = f"transform returned an item that can't be written as JSON ({_kind(exc)})"
        raise UnviewableError(message, code="TransformResultInvalid")

    def _checked(self, item: Any, attributes: Attributes) -> Attributes:
        """What the function returned, if it is an item of the same key.

        :raises InvalidValueError: it isn't
        """
        with _guest():  # a class of its own may print
            check_item(item)
            made = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in item.items()}
            for name in self._key_names:
                own = _decoder.decode(attributes[name])
                if name not in item or not same_value(own, item[name]):
                    raise InvalidValueError(f"it has another {name}, which is of the key")
            return made

    def _called(self, item: dict[str, Any]) -> Any:
        self._watch.begin()
        try:
            with _guest():
                return self._function(item)
        except (Interrupted, MemoryError):
            raise  # a signal to a command; or the machine's fault, which may pass
        except BaseException as exc:  # noqa: BLE001  # whatever a guest raises, sys.exit() and KeyboardInterrupt, too
            message = f"transform raised {_kind(exc)} at {_place(exc, self._file)}"
        finally:
            self._watch.end()
        raise UnviewableError(message, code="TransformFailed")


@contextlib.contextmanager
def forgotten_afterwards() -> Iterator[None]:
    """Forget then what was imported from a task's folder: another task may have another module of the same name."""
    paths, modules = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        folders = [folder for folder in sys.path if folder not in paths]
        sys.path[:] = paths
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if any(Path(file).is_relative_to(folder) for folder in folders):
                del sys.modules[name]


class Loaded(NamedTuple):
    """The function, its module's file, and the digest of the text that was imported."""

    function: Function
    file: str
    digest: str


class _Guest(NamedTuple):
    """A module; ``was_there`` before, so that others have it, too."""

    file: str
    digest: str
    was_there: bool = False


# Imports change what the whole process shares, and the tasks of a daemon are looked at side by side.
_loading = threading.RLock()
# What ``load`` has added to ``sys.path``, and the modules that came with it, by their names.
_folders: list[str] = []
_guests: dict[str, _Guest] = {}


def load(name: str, folder: str | None) -> Loaded:
    """Import the function, as its file is now.

    What was imported before, for another task's folder or before one of the files was changed, is forgotten first.
    Whoever has a function of it may go on calling that.

    :param name: ``module:function``
    :param folder: where the module is; None if Python finds it by itself
    :raises TransformError: that fails
    """
    module_name, _, function_name = name.partition(":")
    with _loading:
        find_in(folder)
        if any(_digest(guest.file) != guest.digest for guest in _guests.values()):
            _forget()
        module = _imported(module_name, folder)
        guest = _guests[module_name]
    function = getattr(module, function_name, None)
    if not callable(function):
        raise TransformError(f"{guest.file} has no function {function_name}")
    return Loaded(function, guest.file, guest.digest)


def find_in(folder: str | None) -> None:
    """Have modules be found in this folder, and in no other task's.

    For a process that was forked after tasks with other folders were loaded, too: a function may import when it is
    called.

    :raises TransformError: there is no such folder
    """
    with _loading:
        others = [each for each in _folders if each != folder]
        if others:
            _forget()
            sys.path[:] = [each for each in sys.path if each not in others]
            _folders[:] = [each for each in _folders if each not in others]
        if folder is None or folder in sys.path:
            return
        if not Path(folder).is_dir():
            raise TransformError(f"transformPath {folder} is no folder")
        sys.path.append(folder)  # last, so that nothing in it takes the place of this program's own modules
        if folder not in _folders:
            _folders.append(folder)


def _forget() -> None:
    """Have each guest be imported anew by whoever asks for it next."""
    for name, guest in _guests.items():
        if not guest.was_there:
            sys.modules.pop(name, None)
    _guests.clear()
    importlib.invalidate_caches()


def _imported(module_name: str, folder: str | None) -> ModuleType:
    before = set(sys.modules)
    try:
        with _guest():
            module = importlib.import_module(module_name)
    except Interrupted:
        raise
    except BaseException as exc:  # whatever a guest raises
        raise TransformError(f"importing {module_name} raised {_kind(exc)} at {_place(exc)}: {exc}") from exc
    finally:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and (name == module_name or (folder is not None and Path(file).is_relative_to(folder))):
                _guests[name] = _Guest(file, _digest(file))
    file = _file_of(module, folder)
    _guests.setdefault(module_name, _Guest(file, _digest(file), was_there=True))
    return module


def _digest(file: str) -> str:
    """Empty where the file can't be read."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def _file_of(module: ModuleType, folder: str | None) -> str:
    file = getattr(module, "__file__", None)
    if file is None:
        raise TransformError(f"{module.__name__} has no file of its own")
    if folder is not None and not Path(file).resolve().is_relative_to(Path(folder).resolve()):
        raise TransformError(f"{module.__name__} is {file}, which is not in transformPath: give it another name")
    return str(file)


def _kind(exc: BaseException) -> str:
    return type(exc).__name__[:100]


def _place(exc: BaseException, file: str | None = None) -> str:
    """The last line of the traceback that is in ``file``, or else of all: ``name.py:7, in function``."""
    frames = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or frames
    if not own:
        return "an unknown place"
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}, in {own[-1].name}"
