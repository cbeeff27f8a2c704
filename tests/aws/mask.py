"""What a report must not have: account ids, access keys, this user's folders. Pure."""

from __future__ import annotations

import re
from pathlib import Path

_ACCOUNT = re.compile(r"(?<![\w.-])\d{12}(?![\w.-])")
_ACCESS_KEY = re.compile(r"\bA[KS]IA[A-Z0-9]{12,}\b")
# Who calls: the names of people and sessions stand after the kind, up to what can't be in a name. A backslash, too: the
# report is masked as JSON.
_PRINCIPAL = re.compile(r"(:(?:user|assumed-role|federated-user)/)[^\s\"',;\\]+")
_OWN_ROLE = re.compile(r":role/(?!replicator-proof-)[^\s\"',;\\]+")


def masked(text: str) -> str:
    """``text`` as it can be shown to anybody."""
    text = _PRINCIPAL.sub(r"\1…", text)
    text = _OWN_ROLE.sub(":role/…", text)
    text = _ACCESS_KEY.sub("(access key)", text)
    return _ACCOUNT.sub("************", text).replace(str(Path.home()), "~")
