"""Serves ``metricsPort``: ``/metrics`` for Prometheus, ``/healthz`` for probes, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from processor import __version__
from processor.flow.outage import Outage
from processor.flow.retry_policy import METRICS_PORT
from processor.metrics import instruments
from processor.metrics.page_server import PageServer
from processor.reporting.logs import Log
from processor.settings.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client import Metric


class BuildInfo(Collector):
    """Which version serves these metrics: the usual gauge whose value is 1, to be joined with others in a query."""

    def collect(self) -> Iterator[Metric]:
        """See ``Collector``."""
        name, text, labels = instruments.BUILD_INFO
        family = GaugeMetricFamily(name, text, labels=labels)
        family.add_metric([__version__], 1)
        yield family


def application(metrics: WSGIApplication) -> WSGIApplication:
    """What is served on the port.

    :param metrics: what is served at ``/metrics``
    """

    def serve_path(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start_response)
        if path == "/healthz":
            return _text(start_response, "200 OK", "ok")
        return _text(start_response, "404 Not Found", "There is /metrics, for Prometheus, and /healthz.")

    return serve_path


def _text(start_response: StartResponse, status: str, text: str) -> Iterable[bytes]:
    body = f"{text}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


@contextmanager
def listening(settings: Settings, collector: Collector) -> Iterator[None]:
    """Serve while the context is entered.

    :raises OSError: something else listens there, or the address isn't this machine's
    """
    assert settings.metrics_port is not None  # noqa: S101  # else nobody asks for it
    registry = CollectorRegistry()
    registry.register(collector)
    registry.register(BuildInfo())
    server = PageServer(settings.metrics_address, settings.metrics_port)
    server.set_app(application(make_wsgi_app(registry)))
    thread = threading.Thread(target=server.serve_forever, name="metrics-page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def place(settings: Settings) -> str:
    """The address and port, for people."""
    return f"{settings.metrics_address} port {settings.metrics_port}"


@contextmanager
def serving(settings: Settings, collector: Collector, *, log: Log) -> Iterator[Callable[[], None]]:
    """Serve as ``serve`` in a thread of its own while the context is entered, if there is a ``metricsPort``.

    :returns: what ends it sooner, without waiting for that
    """
    stop = threading.Event()
    if settings.metrics_port is None:
        yield stop.set
        return
    thread = threading.Thread(
        target=serve, args=(settings, collector), kwargs={"log": log, "stop": stop}, name="metrics-port"
    )
    thread.start()
    try:
        yield stop.set
    finally:  # or the thread would keep a process that fails from ending
        stop.set()
        thread.join()


def serve(settings: Settings, collector: Collector, *, log: Log, stop: threading.Event) -> None:
    """Serve until ``stop``, as soon as the port is free."""
    note = "Replication goes on. Free the port, or give each task of a machine a metricsPort of its own."
    outage = Outage(log, "metrics_not_served", note=note)
    while not stop.is_set():
        try:
            with listening(settings, collector):
                outage.succeeded()
                log.notice("metrics_served", address=settings.metrics_address, port=settings.metrics_port)
                stop.wait()
        except (OSError, OverflowError) as exc:  # OverflowError: the first daemon of the machine has port 65535
            reason = getattr(exc, "strerror", None) or exc
            outage.failed(type(exc).__name__, f"{place(settings)} can't be listened on ({reason})")
            stop.wait(METRICS_PORT.longest_pause_seconds)
