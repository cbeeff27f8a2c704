"""Both halves take the same proxy for a host, whatever the environment says: the JVM by urllib's rules, as botocore."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from unittest import mock

import pytest
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from tests.fakes.java.java_program import JavaProgram

HOSTS = [
    "dynamodb.eu-west-1.amazonaws.com",
    "localhost",
    "127.0.0.1",
    "amazonaws.com",
    "table.internal",
    "Table.Internal",
]
TARGETS = st.builds(
    "{}://{}{}/".format, st.sampled_from(["http", "https"]), st.sampled_from(HOSTS), st.sampled_from(["", ":8000"])
)
PROXIES = st.sampled_from(
    ["", "http://proxy:3128", "proxy:3128", "http://proxy", "https://proxy.internal", "http://user:pa%40ss@proxy:1"]
)
BYPASSED = st.lists(
    st.sampled_from(
        ["*", "", " ", "amazonaws.com", ".amazonaws.com", "..internal", "INTERNAL", "localhost:8000", "azonaws.com"]
    )
    | st.sampled_from(HOSTS),
    max_size=3,
).map(",".join)
NAMES = {"https_proxy": PROXIES, "HTTPS_PROXY": PROXIES, "http_proxy": PROXIES, "HTTP_PROXY": PROXIES}
ENVIRONMENTS = st.fixed_dictionaries({}, optional=NAMES | {"no_proxy": BYPASSED, "NO_PROXY": BYPASSED})


class Java(JavaProgram):
    """One JVM for all examples."""

    def __init__(self) -> None:
        super().__init__("JavaProxies.java")

    def proxy(self, target: str, environment: Mapping[str, str]) -> str | None:
        """What it takes, as a URL with a port."""
        parts = [target, *(part for pair in environment.items() for part in pair)]
        answer = self.ask(" ".join(base64.b64encode(part.encode()).decode() for part in parts))
        return base64.b64decode(answer).decode() or None


@pytest.fixture(scope="module")
def jvm() -> Iterator[Java]:
    """The one JVM."""
    made = Java()
    yield made
    made.kill()


def _of_botocore(target: str, environment: Mapping[str, str]) -> str | None:
    with mock.patch.dict(os.environ, environment):
        found = ProxyConfiguration(get_environ_proxies(target)).proxy_url_for(target)
    if not found:
        return None
    url = parse_url(found)
    user = f"{url.auth}@" if url.auth else ""
    return f"{url.scheme}://{user}{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"


@pytest.fixture(scope="module", autouse=True)
def _without_proxies() -> Iterator[None]:
    """Of whoever runs the tests."""
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            del os.environ[name]
        yield


@given(target=TARGETS, environment=ENVIRONMENTS)
def test_the_jvm_takes_botocores_proxy(jvm: Java, target: str, environment: dict[str, str]) -> None:
    """For HTTP and HTTPS, in upper and lower case, by names, suffixes and ports."""
    assert jvm.proxy(target, environment) == _of_botocore(target, environment)
