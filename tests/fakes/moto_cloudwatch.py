"""CloudWatch as moto's server has it, and what a test wants to see of it."""

from __future__ import annotations

import logging
from collections import defaultdict

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.server import ThreadedMotoServer

from processor.dynamodb_local import free_port

# A metric's name, and the shard that it is about, where it is about one.
Series = tuple[str, str | None]


class MotoCloudWatch:
    """A server of its own, in its context; clients find it by ``environment``."""

    def __init__(self, *, region: str) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._region = region
        self._port = free_port()
        self._server = ThreadedMotoServer(port=self._port, verbose=False)

    def __enter__(self) -> MotoCloudWatch:  # noqa: PYI034  # Self came with Python 3.11
        cloudwatch_backends[ACCOUNT_ID][self._region].reset()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """What sends every SDK's CloudWatch calls here."""
        return {"AWS_ENDPOINT_URL_CLOUDWATCH": self.endpoint}

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
