"""Takes metrics by OTLP over HTTP, as OpenTelemetry's collector does, and keeps them."""

from __future__ import annotations

from collections import deque
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.fakes.network.listener import Listener

if TYPE_CHECKING:
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


class OtlpReceiver:
    """Answers with ``status``, within its context."""

    def __init__(self) -> None:
        keep = self
        self.requests: deque[ExportMetricsServiceRequest] = deque()
        self.headers: dict[str, str] = {}
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                keep.headers = {"path": self.path, **{name.lower(): value for name, value in self.headers.items()}}
                if keep.status == 200:
                    keep.requests.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(keep.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._listener = Listener(Handler)

    def __enter__(self) -> OtlpReceiver:  # noqa: PYI034  # Self came with Python 3.11
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.port}"

    def metrics(self) -> dict[str, Metric]:
        """Of the last request, by name; none before the first."""
        if not self.requests:
            return {}
        (resource,) = self.requests[-1].resource_metrics
        return {metric.name: metric for metric in resource.scope_metrics[0].metrics}

    def resource(self) -> dict[str, str]:
        """Of the last request."""
        (resource,) = self.requests[-1].resource_metrics
        return {each.key: each.value.string_value for each in resource.resource.attributes}
