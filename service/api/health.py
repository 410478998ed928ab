"""`/healthz`, `/readyz` and `/metrics`: for orchestrators and Prometheus.

Alive means that a restart would not help. Ready means that a request sent now would be
written. Idle is not stalled, and slow is not dead.
"""

from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from service.access.route_flags import public
from service.engine.engine import Engine
from service.models.registry import Registry


def health_blueprint(
    engine: Engine, registry: Registry, exposition: Callable[[], bytes]
) -> Blueprint:
    """The three routes; `exposition` renders the metrics for Prometheus."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    @public
    def healthz() -> Response:
        return verdict("alive", engine.trouble if engine.is_broken else None)

    @blueprint.get("/readyz")
    def readyz() -> Response:
        return verdict("ready", why_not_ready(engine, registry))

    @blueprint.get("/metrics")
    def show_metrics() -> Response:
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def why_not_ready(engine: Engine, registry: Registry) -> str | None:
    """What keeps the service from writing; None when nothing does."""
    if engine.trouble is not None:
        return engine.trouble
    return None if registry.served else "no model is loaded"


def verdict(state: str, trouble: str | None) -> Response:
    """200, or 503 with the reason."""
    if trouble is None:
        return jsonify(status=state)
    response = jsonify(status=f"not {state}", reason=trouble)
    response.status_code = 503
    return response
