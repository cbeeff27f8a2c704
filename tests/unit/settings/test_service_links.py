"""Variables that Kubernetes and Docker set for services are no settings."""

from __future__ import annotations

import javaproperties
import pytest

from processor.settings.definitions import DEFINITIONS, Definition
from processor.settings.service_links import without
from tests.fakes.task.tasks import REQUIRED, load

FILE = javaproperties.dumps(REQUIRED)
# As the kubelet writes them for a Service with a port named http (pkg/kubelet/envvars).
SERVICES = {
    name: value
    for service in ("REPLICATION", "REPLICATION_METRICS", "REPLICATION_SOURCE", "REPLICATION_BATCH_SIZE")
    for name, value in {
        f"{service}_SERVICE_HOST": "10.0.0.11",
        f"{service}_SERVICE_PORT": "9404",
        f"{service}_SERVICE_PORT_HTTP": "9404",
        f"{service}_PORT": "tcp://10.0.0.11:9404",
        f"{service}_PORT_9404_TCP": "tcp://10.0.0.11:9404",
        f"{service}_PORT_9404_TCP_PROTO": "tcp",
        f"{service}_PORT_9404_TCP_PORT": "9404",
        f"{service}_PORT_9404_TCP_ADDR": "10.0.0.11",
        f"{service}_PORT_53_UDP": "udp://[fd00::11]:53",
    }.items()
}


def test_all_of_them_are_passed_over() -> None:
    """No such variable is a setting, or a misspelt one."""
    assert without(SERVICES) == {}
    assert load(FILE, environment=SERVICES) == load(FILE)


def test_the_setting_of_that_name_still_counts() -> None:
    """A port that is a number is metricsPort, and a misspelt name is said."""
    environment = SERVICES | {"REPLICATION_METRICS_PORT": "9404"}
    assert load(FILE, environment=environment).metrics_port == 9404


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.name)
def test_no_setting_looks_like_one(definition: Definition) -> None:
    """Whatever is set by a person, a setting's own variable is not mistaken for a service's."""
    name = definition.environment
    assert without({name: "9404"}) == {name: "9404"}
