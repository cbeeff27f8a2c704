"""The JSON Schemas in docs/schemas/, made of the types that are printed: ``python -m tests.schemas`` writes them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
from msgspec import UNSET, inspect

from processor.caretaker.notify.sender import Document
from processor.commands.check.command import CheckReport
from processor.commands.copy.report import CopyReport, ForgetReport
from processor.commands.policy.command import PolicyReport
from processor.commands.policy.many import Merged
from processor.commands.preview.report import PreviewReport
from processor.commands.redrive.run import RedriveReport
from processor.commands.unmark.run import UnmarkReport
from processor.commands.verify.report import VerifyReport
from processor.reporting.failure import FailureReport
from processor.reporting.task_output import TaskOutcome
from processor.startup import java
from processor.state.status.report import StatusReport

FOLDER = java.ROOT / "docs" / "schemas"
# What each command prints of one task.
REPORTS: dict[str, tuple[Any, ...]] = {
    "check": (CheckReport,),
    "copy": (CopyReport, ForgetReport),
    "policy": (PolicyReport,),
    "preview": (PreviewReport,),
    "redrive": (RedriveReport,),
    "status": (StatusReport,),
    "unmark": (UnmarkReport,),
    "verify": (VerifyReport,),
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"


def made() -> dict[str, str]:
    """The text of each schema by its file's name."""
    schemas = {name: _one_of(f"What {name} --json prints", *reports) for name, reports in REPORTS.items()}
    schemas["failure"] = _one_of("What each command with --json prints where it can't give its report")
    schemas["tasks"] = _tasks()
    schemas["notification.v1"] = _notification()
    return {f"{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


def _one_of(title: str, *reports: Any) -> dict[str, Any]:
    """A command's own report, or a failure's."""
    shapes, components = _components([*reports, FailureReport])
    return {"$schema": _DIALECT, "title": title, "anyOf": shapes, "$defs": components}


def _tasks() -> dict[str, Any]:
    shapes, components = _components([TaskOutcome, Merged])
    title = "What a command with --json prints of several tasks; policy has one element for those that it has merged"
    return {"$schema": _DIALECT, "title": title, "type": "array", "items": {"anyOf": shapes}, "$defs": components}


def _notification() -> dict[str, Any]:
    shapes, components = _components([Document])
    title = "What notifyUri is sent for each change of a task's health; times are ISO 8601, in UTC"
    return {"$schema": _DIALECT, "title": title, **shapes[0], "$defs": components}


def _components(types: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    shapes, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    structs = {struct.__name__: struct for each in types for struct in _structs(inspect.type_info(each))}
    for name, component in components.items():
        component.pop("description", None)  # a docstring, which has the names of Python
        component["required"] = _always(structs[name])
        component["additionalProperties"] = False
    return list(shapes), dict(sorted(components.items()))


def _structs(found: Any, seen: tuple[type, ...] = ()) -> Iterator[Any]:
    """All structs that a type has within it."""
    if isinstance(found, inspect.StructType):
        if found.cls in seen:
            return
        yield found.cls
        seen = (*seen, found.cls)
        for field in found.fields:
            yield from _structs(field.type, seen)
    for name in ("item_type", "value_type", "types"):
        inner = getattr(found, name, ())
        for each in inner if isinstance(inner, tuple) else (inner,):
            yield from _structs(each, seen)
    for each in getattr(found, "item_types", ()):
        yield from _structs(each, seen)


def _always(struct: Any) -> list[str]:
    """The fields that are never left out."""
    left_out = struct.__struct_config__.omit_defaults
    return [
        field.encode_name
        for field in msgspec.structs.fields(struct)
        if field.default is not UNSET and (field.required or not left_out)
    ]


@functools.cache
def _validator(name: str) -> Any:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema)


def hold(name: str, text: str) -> None:
    """Insist that a command has printed what its schema says, as one JSON value.

    :param name: the command's
    :raises AssertionError: it hasn't
    """
    report = json.loads(text)
    errors = [error.message for error in _validator("tasks" if isinstance(report, list) else name).iter_errors(report)]
    assert not errors, f"{name} --json: {errors}\n{text}"


def hold_all(name: str, text: str) -> None:
    """The same of a report on each line, as ``status --watch`` prints them."""
    for line in text.splitlines():
        hold(name, line)


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
