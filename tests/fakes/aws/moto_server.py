"""One of AWS's services as moto's server has it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moto.core.base_backend import BackendDict
from moto.server import ThreadedMotoServer

from processor.commands.demo.dynamodb_local import free_port

if TYPE_CHECKING:
    from typing_extensions import Self


class MotoServer:
    """A server of its own, in its context, empty at first; clients find it by ``environment``.

    moto keeps what it stores by the process: one such server at a time.

    :param service: as the SDKs' endpoint variables name it: S3, CLOUDWATCH
    """

    def __init__(self, service: str) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._service = service
        self._port = free_port()
        self._server = ThreadedMotoServer(port=self._port, verbose=False)

    def __enter__(self) -> Self:
        BackendDict.reset()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """What sends every SDK's calls of this service here."""
        return {f"AWS_ENDPOINT_URL_{self._service}": self.endpoint}
