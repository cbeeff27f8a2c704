"""Ignores the variables that Kubernetes, and Docker's links, put into a container for each service beside it.

A Kubernetes Service named ``replication`` or ``replication-metrics`` makes variables that begin like ours, such as
``REPLICATION_METRICS_PORT=tcp://10.0.0.7:9404``. They say where that service is, and are not settings. Pure.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables has all their shapes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from processor.settings.definitions import ENVIRONMENT_PREFIX

_NAMES = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
_PORT = "_PORT"
_ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without them."""
    return {name: value for name, value in environment.items() if not _is_link(name, value)}


def _is_link(name: str, value: str) -> bool:
    if not name.startswith(ENVIRONMENT_PREFIX):
        return False
    rest = name[len(ENVIRONMENT_PREFIX) - 1 :]  # for a service named replication, only the underscore is left
    shaped = re.search(f"({_NAMES.pattern})$", rest) is not None
    return shaped or (rest.endswith(_PORT) and _ADDRESS.fullmatch(value) is not None)
