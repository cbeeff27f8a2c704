"""Where the two halves of a task make their calls, and by way of what: the same, whatever says so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from processor.startup import java
from tests.fakes.aws.accounts import READER
from tests.fakes.aws.fake_sts import FakeSts
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.forward_proxy import ForwardProxy
from tests.fakes.network.tls import CertificateAuthority
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair
from tests.scenarios.test_rotation import Metrics

CONFIG = """
[default]
region = us-east-1
services = own
[services own]
dynamodb =
  endpoint_url = https://leases.test
cloudwatch =
  endpoint_url = https://metrics.test
[profile reader]
region = us-east-1
aws_access_key_id = READERKEY
aws_secret_access_key = secret
endpoint_url = https://source.test
services = reader
[services reader]
dynamodb_streams =
  endpoint_url = https://streams.test
sts =
  endpoint_url = https://sts.test
"""


def _trust_store(authority: CertificateAuthority, folder: Path) -> Path:
    """The authority, as Java takes it."""
    store = folder / "trust.p12"
    keytool = Path(java.executable()).resolve().with_name("keytool")
    command = [keytool, "-importcert", "-noprompt", "-alias", "test", "-file", authority.bundle, "-keystore", store]
    subprocess.run([*command, "-storepass", "changeit", "-storetype", "PKCS12"], check=True, capture_output=True)
    return store


def test_both_halves_ask_the_same_hosts_by_way_of_the_same_proxy(
    pair: Pair, replicator: Callable[..., Replicator], tmp_path: Path
) -> None:
    """Endpoints of two profiles, HTTPS and plain HTTP, a proxy that wants a password, and STS."""
    authority = CertificateAuthority(tmp_path)
    (tmp_path / "config").write_text(CONFIG)
    store = _trust_store(authority, tmp_path)
    netloc = {side: pair.settings[f"{side}Endpoint"].removeprefix("http://") for side in ("source", "destination")}
    with FakeSts({READER: "READERROLE"}) as sts, Metrics() as metrics:
        hosts = dict.fromkeys(("source.test", "streams.test", "leases.test"), netloc["source"])
        hosts["destination.test"] = netloc["destination"]
        hosts["metrics.test"] = metrics.endpoint.removeprefix("http://")
        hosts["sts.test"] = sts.environment["AWS_ENDPOINT_URL_STS"].removeprefix("http://")
        with ForwardProxy(hosts, tls=authority.server_context("*.test")) as proxy:
            settings = {name: value for name, value in pair.settings.items() if name != "sourceEndpoint"}
            settings |= {
                "sourceProfile": "reader",
                "sourceRoleArn": READER,
                "destinationEndpoint": "http://destination.test",
                "dontPublishCloudwatch": "false",
                "metricsBufferTimeMillis": "1000",
                "javaOptions": f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit",
            }
            running = replicator(settings)
            running.start(
                environment={
                    "AWS_CONFIG_FILE": str(tmp_path / "config"),
                    "AWS_CA_BUNDLE": str(authority.bundle),
                    "HTTPS_PROXY": proxy.url,
                    "http_proxy": proxy.url,
                    "NO_PROXY": "127.0.0.1,localhost",
                }
            )
            pair.put("one")
            pair.wait_for("one")
            shared = {"streams.test", "leases.test", "sts.test", "metrics.test"}
            until(lambda: proxy.hosts_asked(java=True) >= shared, "the JVM has asked all of its hosts")
            assert running.stop() == 0
        python, jvm = proxy.hosts_asked(java=False), proxy.hosts_asked(java=True)
    assert jvm == shared
    assert python | {"metrics.test"} == shared | {"source.test", "destination.test"}
    assert proxy.unknown == set()
    assert "proxy-password" not in running.console + running.log() + running.log("kcl.log")
