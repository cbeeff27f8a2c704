"""``run.sh policy``: finds out what is needed, looks ARNs up, and prints the policies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.aws.clients import Clients
from processor.commands.policy import documents, lookup, merge, permissions
from processor.commands.policy.documents import Policy
from processor.commands.policy.options import SHARED, VIA_S3, PolicyOptions
from processor.commands.policy.principals import Principal
from processor.errors import UsageError
from processor.reporting import output
from processor.settings.s3_location import S3Location, s3_location
from processor.settings.settings import Settings

# The commands that have to do with the way back of a two-way task, too.
_OF_UPLINK = frozenset({"check", "replicate", "status"})


class PolicyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints; ``notes`` are for people."""

    commands: list[str]
    policies: list[Policy]
    notes: list[str]


def run(settings: Settings, options: PolicyOptions) -> int:
    """Print the least policies; nothing is changed.

    :returns: 0
    :raises UsageError: options that can't be used, or not together
    """
    report = make(settings, options)
    if options.as_json:
        output.json(report)
    else:
        output.line(f"# {settings.path}: what IAM must allow for {', '.join(report.commands)}")
        show(report)
    say_notes(report, sizes=options.split)
    return 0


def make(settings: Settings, options: PolicyOptions) -> PolicyReport:
    """The least policies of one task; of a two-way one, what both directions need together.

    :raises UsageError: options that can't be used, or not together
    """
    commands = list(options.commands or permissions.possible(settings))
    reports = [_of_direction(settings, options, commands)]
    uplinks = [name for name in commands if name in _OF_UPLINK]
    reports += [_of_direction(each, options, uplinks) for each in settings.in_directions[1:] if uplinks]
    return reports[0] if len(reports) == 1 else together(reports)


def together(reports: Sequence[PolicyReport]) -> PolicyReport:
    """One policy for each principal, which allows what all of these do, and nothing else."""
    return PolicyReport(
        commands=sorted({name for report in reports for name in report.commands}),
        policies=merge.merged(policy for report in reports for policy in report.policies),
        notes=list(dict.fromkeys(note for report in reports for note in report.notes)),
    )


def _of_direction(settings: Settings, options: PolicyOptions, commands: Sequence[str]) -> PolicyReport:
    exported = _exported(options.via_s3, commands) if settings.direction != "uplink" else None
    if exported is not None:
        commands = [VIA_S3 if name == "copy" else name for name in commands]
    if options.shared and settings.direction != "uplink":
        commands = [*commands, *_shared(commands)]
    found = lookup.look(settings, Clients(settings), caller=options.caller, exported=exported)
    rows = permissions.needed(settings, commands)
    return PolicyReport(
        commands=sorted(set(commands)),
        policies=documents.make(settings, rows, found.arns, found.callers, tags_sessions=options.tags_sessions),
        notes=found.notes,
    )


def say_notes(report: PolicyReport, *, sizes: bool) -> None:
    """Say on standard error what a person must know beside the policies.

    :param sizes: also which of them are larger than AWS takes
    """
    for note in [*report.notes, *(merge.all_oversize(report.policies) if sizes else ())]:
        output.say(f"NOTE: {note}")


def _exported(via_s3: str | None, commands: Sequence[str]) -> S3Location | None:
    if via_s3 is None:
        return None
    if "copy" not in commands:
        raise UsageError("--viaS3 says how copy is to be made, which --for leaves out. Name copy there, too.")
    try:
        return s3_location(via_s3)
    except ValueError as exc:
        raise UsageError(f"--viaS3: {exc}.") from exc


def _shared(commands: Sequence[str]) -> list[str]:
    if not {"repair", "verify"}.intersection(commands):
        raise UsageError("--shared says how verify is to be made, which --for leaves out. Name verify or repair there.")
    return [SHARED]


def show(report: PolicyReport) -> None:
    """Print the policies for people, each below a line that says whose it is."""
    for policy in report.policies:
        who = Principal(role_arn=policy.role_arn, profile=policy.profile).shown
        output.line()
        output.line(f"# {who[:1].upper()}{who[1:]}: {_use(policy)}")
        if _has_first_start(policy):
            output.line(f"# Statements named ...{documents.FIRST_START} can go once the checkpoint tables are there.")
        output.json(policy.policy, indent=2)
        if policy.trust_policy is not None:
            output.line()
            output.line(f"# {who[:1].upper()}{who[1:]}: its trust policy")
            output.json(policy.trust_policy, indent=2)


def _use(policy: Policy) -> str:
    what = {"source": "the source", "destination": "the destination", "task": "the checkpoint tables"}
    used = " and ".join(what[side] for side in policy.used_for)
    return f"for {used}" if used else "only to assume the roles"


def _has_first_start(policy: Policy) -> bool:
    return any(statement["Sid"].endswith(documents.FIRST_START) for statement in policy.policy["Statement"])
