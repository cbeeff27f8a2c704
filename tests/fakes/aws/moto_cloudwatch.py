"""CloudWatch as moto's server has it, and what a test wants to see of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID

from tests.fakes.aws.moto_server import MotoServer

if TYPE_CHECKING:
    from typing_extensions import Self

# A metric's name, and the shard that it is about, where it is about one.
Series = tuple[str, str | None]


class MotoCloudWatch(MotoServer):
    """A server of its own, in its context; clients find it by ``environment``."""

    def __init__(self, *, region: str) -> None:
        super().__init__("CLOUDWATCH")
        self._region = region

    def __enter__(self) -> Self:
        cloudwatch_backends[ACCOUNT_ID][self._region].reset()
        return super().__enter__()

    def values(self, namespace: str) -> dict[Series, list[float]]:
        """All that was sent to each metric, of a statistic set its sum.

        moto's own statistics don't tell a task's metric from its shards'.
        """
        found: defaultdict[Series, list[float]] = defaultdict(list)
        for datum in list(cloudwatch_backends[ACCOUNT_ID][self._region].metric_data):
            if datum.namespace == namespace:
                shard = next((each.value for each in datum.dimensions if each.name == "ShardId"), None)
                found[datum.name, shard].append(datum.value if isinstance(datum, MetricDatum) else datum.sum)
        return dict(found)
