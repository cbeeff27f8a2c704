"""Clients made by boto3, AWS's own SDK, for the commands that take minutes.

They are botocore's clients, with the credentials of the same sessions. boto3's import adds a fifth to the CPU of a
process that has one client, so whatever starts hundreds of times, or is waited for, has its clients from botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from botocore.session import Session
    from typing_extensions import Unpack

    from processor.aws.clients import ClientOptions


def create(session: Session, service: str, **options: Unpack[ClientOptions]) -> Any:
    """Make a client by boto3."""
    made: Any = boto3.Session(botocore_session=session)  # its stubs want the names of services as literals
    return made.client(service, **options)
