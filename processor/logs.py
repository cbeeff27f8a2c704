"""Log lines: a time, a level, one constant event name, then ``name=value`` pairs. Never an item's contents.

The daemon's JVM reads the children's stderr and rolls it into replication.log; lines of level NOTICE and above also
reach the console (``CONSOLE_LINE`` in the daemon class reads the level's place in the line).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

# Between INFO and WARNING, as syslog has it: rare, and worth a look.
NOTICE = 25
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+%")


class Log:
    """Writes events under one name, with fields common to all of them."""

    def __init__(self, **fields: object) -> None:
        self._fields = fields
        self._logger = logging.getLogger("processor")

    def info(self, event: str, **fields: object) -> None:
        """For whoever reads the whole log."""
        self._write(logging.INFO, event, fields)

    def notice(self, event: str, **fields: object) -> None:
        """For the console too."""
        self._write(NOTICE, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something to act on, if it stays."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, trace: bool = False, **fields: object) -> None:
        """The end of this process, or of one change."""
        self._write(logging.ERROR, event, fields, trace=trace)

    def _write(self, level: int, event: str, fields: dict[str, object], *, trace: bool = False) -> None:
        self._logger.log(level, event, extra={"fields": self._fields | fields}, exc_info=trace)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = getattr(record, "fields", {})
        pairs = "".join(f" {name}={_quoted(value)}" for name, value in fields.items() if value is not None)
        line = f"{moment}.{int(record.msecs):03d}Z {record.levelname} {record.getMessage()}{pairs}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info and record.exc_info[0] else line


def _quoted(value: object) -> str:
    text = str(value)
    return text if text and _PLAIN.issuperset(text) else json.dumps(text, ensure_ascii=False)


def configure(stream: TextIO | None = None) -> None:
    """Send this process's events to ``stream`` (stderr), one line each."""
    logging.addLevelName(NOTICE, "NOTICE")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("processor").setLevel(logging.INFO)
