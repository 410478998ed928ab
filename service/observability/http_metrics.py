"""Prometheus metrics of HTTP requests and their responses. Knows nothing of the engine.

Every label has few values, whatever clients send: routes are patterns, methods the usual ones.
"""

from service.observability.http_exchange import HttpExchange
from service.observability.labelled_metrics import MetricFactory

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "(other)"
NO_ROUTE = "(none)"  # no pattern begins like this
_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class HttpMetrics:
    """Counters and histograms of HTTP exchanges, by route, method and status."""

    def __init__(self, factory: MetricFactory) -> None:
        self._requests = factory.counter(
            "http_requests",
            "Answers that have ended, by route pattern, method and status",
            *("route", "method", "status"),
        )
        self._duration = factory.histogram(
            "http_request_duration_seconds",
            "From the request's headers to the end of its answer",
            _BUCKETS,
            *("route", "method"),
        )
        self._bytes = factory.counter("http_response_bytes", "Bytes of answers' bodies", "route")
        self._disconnects = factory.counter(
            "http_client_disconnects", "Clients that left before the end of their answer"
        )

    def ended(self, exchange: HttpExchange) -> None:
        """Record an exchange whose response has been sent, or has broken off."""
        route = exchange.route if exchange.route is not None else NO_ROUTE
        method = exchange.method if exchange.method in METHODS else OTHER_METHOD
        self._requests.labels(route, method, str(exchange.status)).inc()
        self._duration.labels(route, method).observe(exchange.seconds)
        self._bytes.labels(route).inc(exchange.num_bytes)
        if exchange.is_abandoned:
            self._disconnects.inc()
