"""What ``run.sh policy`` is asked for: which commands are to be allowed. Pure."""

from __future__ import annotations

import re

# ``repair`` is verify --repair.
COMMANDS = ("check", "copy", "redrive", "repair", "replicate", "status", "verify")
# copy --viaS3, which needs little of what copy does; the option of that name stands for it.
VIA_S3 = "copyViaS3"


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

    :raises ValueError: it is none
    """
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)", text):
        raise ValueError(f"'{text}' is no ARN of a user or role, such as arn:aws:iam::123456789012:role/replicator")
    return text
