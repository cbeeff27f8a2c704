"""Runs the commands: parse, dispatch, exit status. ``commands.py`` says which there are.

Each imports what it needs when it runs: what only the others need takes a tenth of a second or two.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from processor import __version__, commands, program, settings_loader, task
from processor.aws.clients import Clients
from processor.commands import COMMANDS, REPLICATE, Command
from processor.errors import NotReadyError, ReplicatorError, UsageError
from processor.findings import Finding
from processor.settings import Settings

# A command's own options, by name.
Options = Mapping[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    :returns: the exit status; a replication that starts never returns, this process becomes its daemon
    """
    signal.signal(signal.SIGTERM, _interrupt)
    command = COMMANDS.get(arguments[0], REPLICATE) if arguments else REPLICATE
    try:
        return _dispatch(command, arguments[1:] if command.name else arguments)
    except ReplicatorError as exc:
        print(f"{program.NAME}: {exc}", file=sys.stderr)
        return exc.exit_status
    except KeyboardInterrupt as exc:
        if command is REPLICATE:
            return 0  # until the daemon's own handler: a clean stop is 0 from the start
        print(f"{program.NAME}: {command.name} was interrupted before it was through.", file=sys.stderr)
        return 128 + (exc.args[0] if exc.args else signal.SIGINT)
    except Exception:  # noqa: BLE001  # the last resort: a message and a decided status for whatever is left
        traceback.print_exc()
        print(
            f"{program.NAME}: BUG: an unexpected error, above. Nothing was started; please report it.", file=sys.stderr
        )
        return ReplicatorError.exit_status


def console() -> int:
    """What an installed ``dynamodb-replicator`` calls."""
    return main(sys.argv[1:])


def _interrupt(number: int, _: object) -> NoReturn:
    raise KeyboardInterrupt(number)


def _dispatch(command: Command, arguments: Sequence[str]) -> int:
    options, rest = commands.take(command, arguments)
    found = load(rest, command)
    if command is not REPLICATE:
        return _RUN[command.name](found, options)
    if found.demo:
        from processor import demo

        return demo.run(found, rest)
    return _replicate(found)


def load(arguments: Sequence[str], command: Command = REPLICATE) -> Settings:
    """Settings from the command line, the environment and the properties file it names.

    :param arguments: without the options of ``command``
    :raises UsageError: any of them can't be used
    """
    remaining = list(arguments)
    file = remaining.pop(0) if remaining and not remaining[0].startswith("-") else None
    made = settings_loader.parser(program.NAME, commands.usage(), command)
    if file is None and not remaining:
        message = (
            f"No properties file and no settings. Copy {program.TEMPLATE}, fill in the four required "
            "ones and name it; or see --help."
        )
        raise UsageError(message)
    try:
        text = Path(file).read_bytes().decode("latin-1") if file else ""  # Java's encoding of properties
    except OSError as exc:
        message = f"Properties file {file}: can't be read ({exc.strerror}). Nothing was started. Check the path."
        if command is REPLICATE and str(file).isalpha():
            message += f" If it was meant as a command: there are {', '.join(COMMANDS)}."
        raise UsageError(message) from exc
    return settings_loader.load(
        arguments=remaining,
        properties=text,
        environment=os.environ,
        directory=Path.cwd(),
        log_directory=program.log_directory(os.environ),
        made=made,
    )


def _check(found: Settings, options: Options) -> int:
    from processor import preflight

    report = preflight.run(found, Clients(found))
    if options["json"]:
        print(msgspec.json.encode({"ready": not report.errors, "findings": report.findings}).decode())
    else:
        _print_findings(report.findings)
        print(f"{found.path}: {'not ready' if report.errors else 'ready'}")
    return NotReadyError.exit_status if report.errors else 0


def _replicate(found: Settings) -> int:
    from processor import daemon, preflight
    from processor.copy import following

    slot = daemon.claim_slot(found)
    clients = Clients(found)
    report = preflight.run(found, clients)
    _print_findings(report.findings)
    if report.errors:
        things = "1 thing" if len(report.errors) == 1 else f"{len(report.errors)} things"
        message = f"{things} above must be put right first. Nothing was started, nothing was changed."
        raise NotReadyError(message)
    facts = report.facts
    assert facts.source is not None  # noqa: S101  # else the report has errors
    ours = task.record(
        found,
        clients,
        stream_arn=facts.source["LatestStreamArn"],
        destination_arn=(facts.destination or {}).get("TableArn", ""),
        before=facts.task,
        now_ms=min(
            facts.source_clock_ms or facts.leases_read_at_ms,
            facts.copy.started_ms if facts.copy else facts.leases_read_at_ms,
        ),
        begun=bool(facts.leases),
    )
    following.note(found, clients, facts)
    print(f"Replicating {found.path}")
    print(f"  version {__version__}")
    print(f"  task {found.task_name}, checkpoints in {found.checkpoint_table}")
    print(f"  logs in {slot.directory}", flush=True)
    daemon.start(found, slot, task=ours, leases=facts.leases or [], read_at_ms=facts.leases_read_at_ms)


def _copy(found: Settings, options: Options) -> int:
    from processor.copy import command

    chosen = command.Options(
        concurrent=options["concurrent"],
        restart=options["restart"],
        forget=options["forget"],
        dry_run=options["dryRun"],
        json=options["json"],
        via_s3=options["viaS3"],
    )
    return command.run(found, chosen)


def _policy(found: Settings, options: Options) -> int:
    from processor.policy import command

    return command.run(
        found,
        wanted=options["for"],
        via_s3=options["viaS3"],
        caller=options["caller"],
        as_json=options["json"],
    )


def _redrive(found: Settings, options: Options) -> int:
    from processor import redrive_command

    return redrive_command.run(found, dry_run=options["dryRun"], as_json=options["json"])


def _status(found: Settings, options: Options) -> int:
    from processor.status import command

    return command.run(
        found,
        max_lag_seconds=options["maxLagSeconds"],
        watch_seconds=options["watch"],
        as_json=options["json"],
    )


def _verify(found: Settings, options: Options) -> int:
    from processor.verify import command, wanted  # nobody else needs what they import

    return command.run(found, wanted.Wanted.of(options))


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(finding.text, file=sys.stderr)


_RUN: Mapping[str, Callable[[Settings, Options], int]] = {
    "check": _check,
    "copy": _copy,
    "policy": _policy,
    "redrive": _redrive,
    "status": _status,
    "verify": _verify,
}
