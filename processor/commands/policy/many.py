"""``run.sh policy`` of several tasks: one policy for each principal, which allows what all of them need together."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.commands.policy import command
from processor.commands.policy.command import PolicyReport
from processor.commands.policy.options import PolicyOptions
from processor.errors import UsageError
from processor.reporting import ending, output
from processor.reporting.task_output import TaskOutcome, TaskOutput, end_of
from processor.settings.named_task import NamedTask
from processor.system import program


class Merged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The element of ``--json``'s list that has the policies: those of these tasks, merged."""

    tasks: list[str]
    files: list[str]
    exit_status: int
    result: PolicyReport


def run(tasks: Sequence[NamedTask], options: PolicyOptions) -> int:
    """Print the merged policies; nothing is changed.

    :returns: 0; or the worst status of a task whose policies are not in them
    """
    made: list[tuple[NamedTask, PolicyReport]] = []
    outcomes: list[TaskOutcome] = []
    number = 0
    for task in tasks:
        if number:
            outcomes.append(task.outcome(None))
            continue
        with output.heard_by(TaskOutput(task.heading, as_json=True)):  # a heading only if something is said
            try:
                report = _of_one(task, options)
            except KeyboardInterrupt as exc:
                number = ending.interrupted(exc) - ending.INTERRUPTED
                message = "policy was interrupted before it was through."
                outcomes.append(task.outcome(ending.interrupted(exc), message=message))
                continue
            except BrokenPipeError:
                raise
            except Exception as exc:  # noqa: BLE001  # it ends this task, not the others
                ended = ending.of(exc)
                outcomes.append(task.outcome(ended.exit_status, message=ended.message, reasons=ended.findings))
                output.say(f"{program.NAME}: {ended.message}")
                for line in task.where(ended.message):
                    output.say(f"        {line}")
            else:
                made.append((task, report))
                outcomes.append(task.outcome(0))
    _print(made, [each for each in outcomes if each.exit_status != 0], as_json=options.as_json)
    return end_of(outcomes, command="policy", signal_number=number)


def _of_one(task: NamedTask, options: PolicyOptions) -> PolicyReport:
    for finding in task.findings:
        output.say(*finding.lines)
    if task.settings is None:
        raise UsageError(task.error)
    return command.make(task.settings, options)


def _print(made: Sequence[tuple[NamedTask, PolicyReport]], others: Sequence[TaskOutcome], *, as_json: bool) -> None:
    report = command.together([each for _, each in made])
    files = [task.file.path for task, _ in made]
    if as_json:
        tasks = [task.file.name for task, _ in made]
        merged = [Merged(tasks=tasks, files=files, exit_status=0, result=report)] if made else []
        output.json([*merged, *others])
    elif made:
        output.line(f"# {len(made)} tasks: what IAM must allow for {', '.join(report.commands)}")
        for task, _ in made:
            output.line(f"# {task.heading.removeprefix('== ')}")
        command.show(report)
    command.say_notes(report, sizes=True)
    if made and others:
        missing = ", ".join(each.file for each in others)
        output.say(
            f"NOTE: These policies lack what is needed for {missing}: see above. Don't replace older ones by them."
        )
