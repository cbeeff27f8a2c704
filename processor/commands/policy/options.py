"""The options of ``run.sh policy``: for whom, and for which commands. Pure."""

from __future__ import annotations

import re

import msgspec

# ``repair`` is verify --repair.
COMMANDS = ("check", "console", "copy", "preview", "redrive", "repair", "replicate", "status", "unmark", "verify")
# copy --viaS3 needs little of what copy does; here the option stands for it.
VIA_S3 = "copyViaS3"
# What verify --shared needs beside verify, or beside repair.
SHARED = "verifyShared"


def commands(text: str) -> tuple[str, ...]:
    """``replicate,status`` as a tuple.

    :raises ValueError: there is no such command
    """
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [name for name in found if name not in COMMANDS]
    if unknown or not found:
        raise ValueError(f"'{', '.join(unknown) or text}' is none of {', '.join(COMMANDS)}")
    return found


def caller(text: str) -> str:
    """The ARN of a user or role, or an account's ``root``.

    :raises ValueError: it is not one
    """
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)", text):
        raise ValueError(f"'{text}' is no ARN of a user or role, such as arn:aws:iam::123456789012:role/replicator")
    return text


class PolicyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the settings.

    :param commands: some of ``COMMANDS``; None for all that the settings have a use for
    :param via_s3: ``s3://bucket/prefix``, if copy is to be made that way
    :param shared: whether verify, or a repair, is made by several machines
    :param caller: the ARN of the program's identity, if it is not that of whoever runs this command
    :param tags_sessions: whether the caller's session has tags, which are passed on to the roles that it assumes
    :param split: of several tasks, policies for each; otherwise one for all of them
    """

    commands: tuple[str, ...] | None = None
    via_s3: str | None = None
    shared: bool = False
    caller: str | None = None
    tags_sessions: bool = False
    split: bool = False
    as_json: bool = False
