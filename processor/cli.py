"""Runs the commands: parse, dispatch, exit status. ``commands.py`` says which there are."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from processor import commands, daemon, java, preflight, redrive_command, settings, task
from processor.commands import COMMANDS, REPLICATE, Command
from processor.dynamodb import Clients
from processor.errors import CredentialsError, NotReadyError, RefusedError, ReplicatorError, UsageError
from processor.findings import Finding
from processor.preflight import Report
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
        print(f"run.sh: {exc}", file=sys.stderr)
        return exc.exit_status
    except KeyboardInterrupt as exc:
        if command is REPLICATE:
            return 0  # until the daemon's own handler: a clean stop is 0 from the start
        print(f"run.sh: {command.name} was interrupted before it was through.", file=sys.stderr)
        return 128 + (exc.args[0] if exc.args else signal.SIGINT)
    except Exception:  # noqa: BLE001  # the last resort: a message and a decided status for whatever is left
        traceback.print_exc()
        print("run.sh: BUG: an unexpected error, above. Nothing was started; please report it.", file=sys.stderr)
        return ReplicatorError.exit_status


def _interrupt(number: int, _: object) -> NoReturn:
    raise KeyboardInterrupt(number)


def _dispatch(command: Command, arguments: Sequence[str]) -> int:
    options, rest = commands.take(command, arguments)
    found = load(rest, command)
    if command is not REPLICATE:
        return _RUN[command.name](found, options)
    if found.demo:
        from processor import demo  # nobody else needs what it imports

        return demo.run(found, rest)
    return _replicate(found)


def load(arguments: Sequence[str], command: Command = REPLICATE) -> Settings:
    """Settings from the command line, the environment and the properties file it names.

    :param arguments: without the options of ``command``
    :raises UsageError: any of them can't be used
    """
    remaining = list(arguments)
    file = remaining.pop(0) if remaining and not remaining[0].startswith("-") else None
    made = settings.parser("run.sh", commands.usage(), command)
    if file is None and not remaining:
        message = (
            "No properties file and no settings. Copy properties/replication.properties, fill in the four required "
            "ones and name it; or see --help."
        )
        raise UsageError(message)
    try:
        text = Path(file).read_bytes().decode("latin-1") if file else ""  # Java's encoding of properties
    except OSError as exc:
        message = f"Properties file {file}: can't be read ({exc.strerror}). Nothing was started. Check the path."
        raise UsageError(message) from exc
    return settings.load(
        arguments=remaining,
        properties=text,
        environment=os.environ,
        directory=Path.cwd(),
        log_directory=java.ROOT / "logs",
        made=made,
    )


def _check(found: Settings, options: Options) -> int:
    report = preflight.run(found, Clients(found))
    if options["json"]:
        print(msgspec.json.encode({"ready": not report.errors, "findings": report.findings}).decode())
    else:
        _print_findings(report.findings)
        print(f"{_path(found)}: {'not ready' if report.errors else 'ready'}")
    return NotReadyError.exit_status if report.errors else 0


def _replicate(found: Settings) -> int:
    slot = daemon.claim_slot(found)
    clients = Clients(found)
    report = preflight.run(found, clients)
    read_at_ms = int(time.time() * 1000)
    _print_findings(report.findings)
    if report.errors:
        things = "1 thing" if len(report.errors) == 1 else f"{len(report.errors)} things"
        message = f"{things} above must be put right first. Nothing was started, nothing was changed."
        raise NotReadyError(message)
    stream_arn = _record_task(found, clients, report)
    print(f"Replicating {_path(found)}")
    print(f"  task {found.task_name}, checkpoints in {found.checkpoint_table}")
    print(f"  logs in {slot.directory}", flush=True)
    daemon.start(found, slot, stream_arn=stream_arn, leases=report.facts.leases or [], read_at_ms=read_at_ms)


def _record_task(found: Settings, clients: Clients, report: Report) -> str:
    facts = report.facts
    assert facts.source is not None  # noqa: S101  # else the report has errors
    ours = task.of(found, facts.source["LatestStreamArn"], (facts.destination or {}).get("TableArn", ""))
    try:
        task.write(clients.checkpoints(), found.task_table, ours, before=facts.task)
    except (CredentialsError, RefusedError) as exc:
        message = f"{exc}. The task can't be recorded, so nothing was started. Allow this call; README.md lists all."
        raise NotReadyError(message) from exc
    return ours.stream_arn


def _redrive(found: Settings, options: Options) -> int:
    return redrive_command.run(found, dry_run=options["dryRun"], as_json=options["json"])


def _path(found: Settings) -> str:
    return f"{found.source_table} ({found.source_region}) -> {found.destination_table} ({found.destination_region})"


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(finding.text, file=sys.stderr)


_RUN: Mapping[str, Callable[[Settings, Options], int]] = {"check": _check, "redrive": _redrive}
