"""What a run proves, step by step, in this order. A step returns what it found, or raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.aws import identities, on_demand, provisioned
from tests.aws.scene import Scene


class Step(NamedTuple):
    """One of them.

    :param proves: in one sentence, for the report
    """

    name: str
    proves: str
    run: Callable[[Scene], str]


STEPS = [
    Step("tables", "Tables can be made, on demand and provisioned, and tagged.", on_demand.make_tables),
    Step("policy", "policy prints the least permissions, of each resource by its ARN.", identities.print_policies),
    Step("roles", "Roles can be made with just the printed policies.", identities.make_roles),
    Step("copy", "copy makes the destination, turns the stream on, and copies every item.", on_demand.copy),
    Step("start", "A first start finds all ready, and the first change arrives.", on_demand.start),
    Step("live changes", "Inserts, updates and deletes of every type arrive as they were made.", on_demand.live),
    Step("status", "status says that the task is healthy.", on_demand.status),
    Step("least policies", "What the policies leave out is refused.", identities.overstep),
    Step("stop and resume", "SIGTERM ends with 0; what was written meanwhile arrives after a start.", on_demand.resume),
    Step("kill -9", "Nothing is lost when a daemon is killed amid live changes.", on_demand.kill),
    Step("verify", "verify finds both tables equal.", on_demand.verify),
    Step(
        "repair",
        "verify finds what was changed behind the replication's back, and --repair mends it.",
        on_demand.repair,
    ),
    Step(
        "provisioned",
        "The other direction, between provisioned tables; a backlog that is throttled arrives.",
        provisioned.burst,
    ),
    Step(
        "dead letters", "A change that the destination refuses is set aside, and the others go on.", provisioned.refuse
    ),
    Step("redrive", "redrive brings its key up to date once the destination takes it.", provisioned.redrive),
    Step("shards", "Shards that end are followed by their children.", provisioned.look_at_shards),
]

# What no server of this machine does, by the name under which a step says that it has seen it.
ONLY_AWS: dict[str, str] = {
    "regions": "two regions, with a distance between them",
    "throttles": "a provisioned table that throttles",
    "iam": "IAM, which refuses what a policy leaves out",
    "shards": "shards that end after some four hours, or are split",
    "sts": "credentials of a role that end, after an hour, and are renewed",
    "indexes": "an index that takes minutes to be removed while the table is written",
}
# What happens only in hours, or only with more capacity than a dollar pays for.
NEVER_SEEN: dict[str, Any] = {
    "shards": "let the same settings run for a day to see it",
    "sts": "let the same settings run for two hours to see it",
}
