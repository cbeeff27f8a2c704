"""The hosts that the daemon's JVM asks, as botocore finds them, so that both halves of a task ask the same.

An endpoint may come from a setting, from ``AWS_ENDPOINT_URL`` and its kind, from a profile's ``endpoint_url`` or its
``services``, or be a region's own, of the kind that ``use_fips_endpoint`` and ``use_dualstack_endpoint`` say. The Java
SDK follows some of these, and of another profile; so it is told, and looks for nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processor.aws.clients import Clients
from processor.aws.internals import signing_region
from processor.aws.sessions import sts_client
from processor.settings.settings import Settings


def told(settings: Settings) -> dict[str, str]:
    """Properties of the daemon, by the names that ``AwsClients.java`` and ``Identity.java`` read. Asks nobody.

    :raises UnavailableError: the SDK's own configuration can't be used
    """
    clients = Clients(settings)
    made = {
        "sourceStreamsEndpoint": _endpoint(clients.streams()),
        "dynamoDBEndpoint": _endpoint(clients.checkpoints()),
    }
    if not settings.dont_publish_cloudwatch:
        made["cloudWatchEndpoint"] = _endpoint(clients.cloudwatch())
    return made | dict(_roles(settings))


def _roles(settings: Settings) -> Iterator[tuple[str, str]]:
    for side, identity, region in (
        ("source", settings.source_identity, settings.source_region),
        ("kcl", settings.task_identity, settings.kcl_region),
    ):
        if identity.role_arn is not None:
            client = sts_client(identity, region)
            yield f"{side}RoleEndpoint", _endpoint(client)
            # With AWS_STS_REGIONAL_ENDPOINTS=legacy, the endpoint of all regions is signed for as one of them.
            yield f"{side}RoleRegion", signing_region(client)


def _endpoint(client: Any) -> str:
    return str(client.meta.endpoint_url)
