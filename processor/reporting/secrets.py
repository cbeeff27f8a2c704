"""Removes secrets from everything that is printed: log lines, a command's messages, and tracebacks.

Every part that gives out credentials registers them here first. ``hidden`` then replaces each of them in a text, and
also what has the form of a secret: a session token's header, a password in a URL. A library's exception may quote
either.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

HIDDEN = "***"
# A shorter text may be an ordinary word, and can't be a key of AWS's: the shortest secret has 40 characters.
_LEAST_CHARACTERS = 16
# Credentials of all identities, and those before the last rotations, which an old message may still quote.
_MOST = 64
_FORMS = (
    # The header of a session token, as botocore, urllib3 or AWS itself quote it (a signature's "canonical string").
    re.compile(r"(x-amz-security-token['\"]?\s*[:=]\s*b?['\"]?)[^\s'\",;\\\\]+", re.IGNORECASE),
    re.compile(r"(x-amz-security-token['\"]?\s*,\s*b?['\"])[^'\"\\\\]+", re.IGNORECASE),
    re.compile(r"((?:aws_)?(?:secret_access_key|session_token)\s*[:=]\s*['\"]?)[^\s'\",;\\\\]+", re.IGNORECASE),
)
# The user and password of a URL, a proxy's above all. A password may be a token of any length, and may have an
# unescaped @. Found in two steps, each of which looks at a character a few times at most: one pattern for both would
# read on from each :// to the end of an endpoint's words, which may be 256 KB of them. A word ends where a string of
# JSON does, and at its escapes.
_WORD = re.compile(r"[^\s\"\\]+")
_LOGIN = re.compile(r"://[^/:@]*[:@]")

_known: OrderedDict[str, None] = OrderedDict()
_lock = threading.Lock()


def remember(*secrets: str | None) -> None:
    """Replace these from now on, as they are and as ``repr`` writes them."""
    with _lock:
        for secret in secrets:
            for form in {secret or "", repr(secret or "")[1:-1], (secret or "").strip()}:
                if len(form) >= _LEAST_CHARACTERS:
                    _known[form] = None
                    _known.move_to_end(form)
        while len(_known) > _MOST:
            _known.popitem(last=False)


def hidden(text: str) -> str:
    """``text`` with ``***`` in the place of each secret."""
    for secret in sorted(_known.copy(), key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, HIDDEN)
    for form in _FORMS:
        text = form.sub(rf"\1{HIDDEN}", text)
    return _WORD.sub(_without_login, text) if "://" in text else text


def _without_login(word: re.Match[str]) -> str:
    """Hide what stands between the first URL's ``://`` and the last ``@``."""
    text = word[0]
    end = text.rfind("@")
    found = _LOGIN.search(text, 0, end + 1)
    return text if found is None else f"{text[: found.start()]}://{HIDDEN}{text[end:]}"
