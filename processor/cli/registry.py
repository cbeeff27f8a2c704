"""The commands: the name of each, its purpose, and its own options.

An option belongs to one run of a command, as ``--dryRun`` or ``--show 20``; what describes the replication itself is a
setting, see ``definitions.py``. A command gets its options as one object, whose class is in its ``options.py``. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from processor.cli.command import Command, Option
from processor.commands.check.options import CheckOptions
from processor.commands.console import options as console_options
from processor.commands.console.options import ConsoleOptions
from processor.commands.copy.options import CopyOptions
from processor.commands.policy import options as policy_options
from processor.commands.policy.options import PolicyOptions
from processor.commands.preview import options as preview_options
from processor.commands.preview.options import PreviewOptions
from processor.commands.redrive.options import RedriveOptions
from processor.commands.replicate.options import ReplicateOptions
from processor.commands.status.options import StatusOptions
from processor.commands.unmark.options import UnmarkOptions
from processor.commands.verify.options import VerifyOptions
from processor.settings import attribute_paths
from processor.settings.parsers import whole_number


def _share(text: str) -> float:
    """``5%`` or ``5`` as 0.05."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:  # noqa: PLR2004  # percent
        raise ValueError(f"'{text}' is no share. Give more than 0% and up to 100%")
    return percent / 100


_ALL = ", ".join(policy_options.COMMANDS)
JSON = Option(
    name="json", field="as_json", help="one JSON object on standard output, for scripts; of several tasks a list"
)
_VERIFY = (
    Option(
        name="sample",
        field="share",
        metavar="N%",
        parse=_share,
        default=1.0,
        help="compare only so many of the items",
    ),
    Option(
        name="recheck",
        metavar="N",
        parse=whole_number(0, 20),
        default=3,
        help="how often a key that differs is read again, after 1, 2, 4 ... seconds, before it counts (3)",
    ),
    Option(
        name="show",
        metavar="N",
        parse=whole_number(0, 1_000_000),
        default=20,
        help="how many of the keys that differ are shown (20)",
    ),
    Option(name="values", help="show also what each table has where they differ; in JSON also items that only one has"),
    Option(name="output", metavar="FILE", parse=Path, help="write every key that differs to FILE, as JSON lines"),
    Option(name="ignore", metavar="PATHS", parse=attribute_paths.parse, repeated=True, help="don't compare a.b[0].c,d"),
    Option(name="expired", help="look up and show keys past their TTL that only one table has, too"),
    Option(name="repair", help="write what is missing or different at the destination"),
    Option(name="deleteExtra", help="with --repair: also delete what only the destination has, whoever wrote it"),
    Option(name="dryRun", help="with --repair: say what would be done, and do nothing"),
    Option(name="shared", help="with every machine on which the same is given, each of which reports the whole"),
    Option(name="rolling", help="a pass as verifyEvery makes it: slow, by the settings, resumed, and kept for status"),
    JSON,
)

REPLICATE = Command(help="replicate, until stopped", takes=ReplicateOptions)
COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command(
            name="check",
            help="say what is not ready, and change nothing",
            takes=CheckOptions,
            options=(JSON,),
            outcomes={0: "ready", 22: "not ready", 5: "not known"},
        ),
        Command(
            name="console",
            help="serve a live page of the tasks, for a browser; changes nothing",
            takes=ConsoleOptions,
            options=(
                Option(
                    name="port",
                    metavar="N",
                    parse=whole_number(0, 65_535),
                    default=8080,
                    help="port of the page; 0 for any that is free (8080)",
                ),
                Option(
                    name="address",
                    metavar="ADDRESS",
                    parse=str,
                    default="127.0.0.1",
                    help="address on which it listens; whoever reaches it reads it (127.0.0.1)",
                ),
                Option(
                    name="hostNames",
                    field="names",
                    metavar="NAMES",
                    parse=console_options.names,
                    default=(),
                    help="names by which browsers ask for it, beside the address and localhost: a.example.com,b",
                ),
                Option(name="open", field="opens", help="open it in this machine's browser"),
                Option(
                    name="interval",
                    field="interval_seconds",
                    metavar="SECONDS",
                    parse=whole_number(1, 300),
                    default=10,
                    help="time from one look at a task to the next, while the page is open (10)",
                ),
                Option(
                    name="maxLagSeconds",
                    metavar="N",
                    parse=whole_number(0, 86_400),
                    default=60,
                    help="a shard that is further behind is not healthy (60)",
                ),
            ),
        ),
        Command(
            name="copy",
            help="copy what the source holds, before the replication starts",
            takes=CopyOptions,
            options=(
                Option(name="concurrent", help="beside a running replication"),
                Option(
                    name="viaS3",
                    help="by DynamoDB's own export to that place and import from it, which makes the destination",
                    parse=str,
                    metavar="s3://BUCKET/PREFIX",
                ),
                Option(name="dryRun", help="say what it will cost, and do nothing"),
                Option(name="restart", help="copy anew what was copied, or begun"),
                Option(name="forget", help="forget a copy that is not to be finished; what it has written stays"),
                JSON,
            ),
            outcomes={5: "failed"},
        ),
        Command(
            name="policy",
            help="print the least IAM policies that the other commands need",
            takes=PolicyOptions,
            options=(
                Option(
                    name="for",
                    field="commands",
                    metavar="COMMANDS",
                    parse=policy_options.commands,
                    help=f"only for these, as check,replicate (all that there is something to do for; of {_ALL})",
                ),
                Option(name="viaS3", help="for copy --viaS3 in place of copy", parse=str, metavar="s3://BUCKET/PREFIX"),
                Option(name="shared", help="for verify --shared, and --repair, in place of verify by one machine"),
                Option(
                    name="caller",
                    metavar="ARN",
                    parse=policy_options.caller,
                    help="the user or role that the program runs as (who runs this command)",
                ),
                Option(
                    name="podIdentity",
                    field="tags_sessions",
                    help="it runs with EKS Pod Identity, whose session's tags each role it assumes must let pass",
                ),
                Option(name="split", help="of several tasks: policies for each, instead of what all need together"),
                JSON,
            ),
            outcomes={0: "printed"},
        ),
        Command(
            name="preview",
            help="show what the settings make of some of the source's items, and change nothing",
            takes=PreviewOptions,
            options=(
                Option(
                    name="items",
                    metavar="N",
                    parse=whole_number(1, preview_options.MOST_ITEMS),
                    default=10,
                    help="how many of the table's (10)",
                ),
                Option(
                    name="key",
                    field="keys",
                    metavar="JSON",
                    parse=preview_options.key,
                    repeated=True,
                    help="the item of this key, as DynamoDB JSON, instead; may be given several times",
                ),
                Option(name="values", help="show also the values, those to be masked too; without it names and sizes"),
                JSON,
            ),
            outcomes={0: "shown", 1: "with items that can't be written, or keys without one"},
        ),
        Command(
            name="redrive",
            help="bring the keys of dead letters up to date",
            takes=RedriveOptions,
            options=(Option(name="dryRun", help="say what would be done, and do nothing"), JSON),
            has_nothing=lambda settings: "" if settings.has_letters else "No deadLetterUri is set: nothing to redrive.",
            outcomes={0: "nothing left", 1: "with keys that still fail"},
        ),
        Command(
            name="status",
            help="say how the task stands, from any machine",
            takes=StatusOptions,
            options=(
                JSON,
                Option(
                    name="maxLagSeconds",
                    metavar="N",
                    parse=whole_number(0, 86_400),
                    default=60,
                    help="a shard that is further behind ends it with 1 (default: 60)",
                ),
                Option(
                    name="watch",
                    field="watch_seconds",
                    metavar="SECONDS",
                    parse=whole_number(1, 3600),
                    implied=10,
                    help="look again so often, until Ctrl-C (every 10 s, where no number is given)",
                ),
            ),
            outcomes={0: "healthy", 1: "not healthy", 5: "not known"},
        ),
        Command(
            name="unmark",
            help="remove the markers from the destination's items, when a task is two-way no more",
            takes=UnmarkOptions,
            options=(
                Option(
                    name="writeUnits",
                    metavar="N",
                    parse=whole_number(1, 1_000_000),
                    help="at most so many write units a second (no limit)",
                ),
                Option(name="dryRun", help="say how many there are, and do nothing"),
                JSON,
            ),
            outcomes={0: "none left", 1: "with items that others wrote meanwhile"},
        ),
        Command(
            name="verify",
            help="compare the destination with the source",
            takes=VerifyOptions,
            options=_VERIFY,
            outcomes={0: "equal", 1: "not equal"},
        ),
    )
}
