"""Tracing setup: spans are made only when OpenTelemetry's own variables name a collector.

The libraries are an extra. Without them, or with variables that they cannot honour, one line says
so at the start, and the service serves as ever.
"""

import os
from collections.abc import Mapping
from typing import Protocol

import structlog

from service.observability.http_exchange import HttpExchange

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"


class Tracing(Protocol):
    """Recorder that makes spans of HTTP exchanges."""

    def ended(self, exchange: HttpExchange) -> None:
        """Record an exchange whose response has been sent, or has broken off."""

    def begin_drain(self) -> None:
        """Prepare for the end of the process. Takes no lock, so a signal handler may call it."""

    def stop(self) -> None:
        """Send the spans that are left, within a bounded time."""


def start_tracing(environ: Mapping[str, str] = os.environ) -> Tracing | None:
    """Start tracing if it is wanted and possible; None if not.

    To be called after the fork: it starts a thread.
    """
    if not is_wanted(environ):
        return None
    log = structlog.get_logger()
    if (problem := problem_of(environ)) is not None:
        log.warning("no_tracing", reason=problem)
        return None
    try:
        # Here and not at the top: the libraries may not be there.
        from service.observability.spans import Spans  # noqa: PLC0415

        tracing: Tracing = Spans()
    except ImportError:
        log.warning("no_tracing", reason="needs `pip install strophe[trace]`")
        return None
    except (ValueError, OSError) as error:
        log.warning("no_tracing", reason=f"an OTEL_ variable is wrong: {error}")
        return None
    log.info("tracing")
    return tracing


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the variables name a collector and nothing turns tracing off."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(environ.get(name, "").strip() for name in _ENDPOINTS)


def problem_of(environ: Mapping[str, str]) -> str | None:
    """Problem with what the variables ask of tracing; None when it can be done."""
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter not in ("", "otlp"):
        return f"OTEL_TRACES_EXPORTER: must be otlp or none, got {exporter}"
    name = next((name for name in _PROTOCOLS if environ.get(name, "").strip()), None)
    if name is not None and environ[name].strip() != _PROTOCOL:
        return f"{name}: must be {_PROTOCOL}, got {environ[name].strip()}"
    return None
