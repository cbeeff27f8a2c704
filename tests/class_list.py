"""Lists the classes that a daemon needs: ``python -m tests.class_list`` writes daemon/classes.lst anew.

The list is of a real daemon's start, some records, a stop, and a start after it, with all its calls over TLS, as AWS
has them. Of lambdas only those of the jars are listed, for Java's own differ from version to version.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import os
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.startup import java
from tests.fakes.daemon.replicator import Replicator
from tests.scenarios.conftest import Pair, Servers

LIST = java.ROOT / "daemon" / "classes.lst"
_JAVAS_OWN = ("java/", "javax/", "jdk/", "sun/", "com/sun/", "org/w3c/", "org/xml/")
_LAMBDA = "@lambda-proxy "
_HEADER = "# Classes of a daemon's start, for processor/startup/class_archive.py; ./test.sh lock writes it anew.\n"
_PASSWORD = "changeit"


class Tls:
    """A server before another one, which takes TLS and passes on what is in it."""

    def __init__(self, endpoint: str, certificate: Path) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self._behind = host, int(port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.endpoint = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(*self._behind)
        await asyncio.gather(self._pass_on(reader, requests), self._pass_on(answers, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while some := await reader.read(65_536):
                writer.write(some)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate with its key, and a trust store for Java that has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, store = folder / "certificate.pem", folder / "trusted.p12"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    keytool = Path(java.executable()).with_name("keytool")
    options = ["-storetype", "PKCS12", "-storepass", _PASSWORD, "-noprompt", "-alias", "here"]
    command = [keytool, "-importcert", "-file", pem, "-keystore", store, *options]
    subprocess.run(command, check=True, capture_output=True)
    return pem, store


def _loaded(folder: Path) -> set[str]:
    """What two starts of a daemon load, as the JVM lists it."""
    pem, store = _certificate(folder)
    os.environ.update(AWS_ACCESS_KEY_ID="lists", AWS_SECRET_ACCESS_KEY="lists")
    trust = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={_PASSWORD}"
    with DynamoDBLocal(log=folder / "source.log") as source, DynamoDBLocal(log=folder / "destination.log") as other:
        pair = Pair(Servers(source.endpoint, other.endpoint))
        over_tls = {
            "sourceEndpoint": Tls(source.endpoint, pem).endpoint,
            "destinationEndpoint": Tls(other.endpoint, pem).endpoint,
            "javaOptions": f"-Xshare:auto -XX:DumpLoadedClassList={folder}/%p.lst {trust}",
            "dontPublishCloudwatch": "false",
        }
        running = Replicator(folder / "run", pair.settings | over_tls)
        try:
            for number in range(2):
                running.start(environment={"AWS_CA_BUNDLE": str(pem)})
                pair.put(f"item-{number}")
                pair.wait_for(f"item-{number}")
                pair.wait_checkpoint()
                running.stop()
        finally:
            running.__exit__()
    return {line for file in folder.glob("*.lst") for line in file.read_text().splitlines()}


def _kept(line: str) -> str | None:
    """The line without what is of one version of Java alone; None where nothing is left."""
    if line.startswith(_LAMBDA):
        return None if line.removeprefix(_LAMBDA).startswith(_JAVAS_OWN) else line
    name = line.partition(" ")[0]
    return None if name.startswith(("@", "#")) or "source:" in line else name


def main() -> None:
    """Write the list, classes first."""
    with tempfile.TemporaryDirectory() as folder:
        lines = {kept for line in _loaded(Path(folder)) if (kept := _kept(line))}
    LIST.write_text(_HEADER + "".join(f"{line}\n" for line in sorted(lines, key=lambda line: (line[0] == "@", line))))


if __name__ == "__main__":
    main()
