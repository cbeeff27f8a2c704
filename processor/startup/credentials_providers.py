"""Checks that KCL's ``AwsCredentialsProvider…`` properties name classes of which KCL can make credentials providers.

KCL silently ignores every name that it can't use, and may be left without credentials. So if these properties are set,
Java checks them before a start, by KCL's own rule (``ProviderCheck.java``).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

from processor.reporting.findings import Finding, error, warning
from processor.settings.kcl_properties import canonical
from processor.settings.settings import Settings
from processor.startup import java

_MAIN_CLASS = "replicator.aws.ProviderCheck"
# For a start within a third of a second, without messages of logback.
_OPTIONS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
)
_PREFIX = canonical("AwsCredentialsProvider")
_ANSWER = "provider "
_TIMEOUT_SECONDS = 30.0
# Arguments of a class, which may be secrets, follow this.
_ARGUMENTS = "|"
_INTERFACE = "software.amazon.awssdk.auth.credentials.AwsCredentialsProvider"
_PROBLEMS = {
    "missing": f"is no class that the daemon's Java finds; KCL 3 takes those of the AWS SDK for Java 2 ({_INTERFACE})",
    "other": f"is no credentials provider: the class does not implement {_INTERFACE}",
    "version1": f"is of the AWS SDK for Java 1, whose providers KCL 3 does not take; it takes {_INTERFACE}",
    "unmakeable": "can't be made: it takes no such arguments, or lacks something here, such as a region",
}
_CONSEQUENCE = "KCL would pass over it, and the daemon might be left without credentials"
_REMEDY = (
    "Name a class that is one, such as DefaultCredentialsProvider, or leave the property out: roles and profiles have "
    "settings of their own"
)


def findings(settings: Settings) -> Iterator[Finding]:
    """An error for each name that KCL could not use.

    :raises SetupError: there is no Java, or a jar is missing
    """
    named = [
        (name, element.strip())
        for name, value in settings.kcl.items()
        if canonical(name).startswith(_PREFIX)
        for element in value.split(",")
        if element.strip()
    ]
    if not named:
        return
    verdicts = _ask([element for _, element in named])
    if verdicts is None:
        value = "could not be looked at: Java did not answer"
        yield warning(
            "provider-unknown",
            "AwsCredentialsProvider",
            value,
            _CONSEQUENCE,
            "Start, and see whether the daemon has credentials",
        )
        return
    for (name, element), verdict in zip(named, verdicts, strict=True):
        if verdict in _PROBLEMS:
            shown = element.partition(_ARGUMENTS)[0]
            yield error(
                "provider-unusable", f"{name} {shown}", _PROBLEMS[verdict], _CONSEQUENCE, _REMEDY, cause="setup"
            )


def _ask(elements: list[str]) -> list[str] | None:
    """A verdict for each, or None if Java gives none. Names and arguments go by standard input, unseen by others."""
    try:
        ended = subprocess.run(
            [java.executable(), *_OPTIONS, _MAIN_CLASS],
            env=os.environ | {"CLASSPATH": java.class_path()},
            input="".join(f"{element}\n" for element in elements).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = ended.stdout.decode(errors="replace").splitlines()
    verdicts = [line.removeprefix(_ANSWER) for line in lines if line.startswith(_ANSWER)]
    return verdicts if len(verdicts) == len(elements) else None
