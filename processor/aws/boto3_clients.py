"""Clients made by boto3, AWS's own SDK, for the commands that take minutes.

They are botocore's clients, with the credentials of the same sessions. boto3's import adds a fifth to the CPU of a
process that has one client, so whatever starts hundreds of times, or is waited for, has its clients from botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session


def create(
    session: Session,
    service: str,
    *,
    config: Config,
    region_name: str | None = None,
    endpoint_url: str | None = None,
) -> Any:
    """Make a client by boto3, with options as botocore's ``create_client`` has them."""
    made: Any = boto3.Session(botocore_session=session)  # its stubs want the names of services as literals
    return made.client(service, region_name=region_name, endpoint_url=endpoint_url, config=config)
