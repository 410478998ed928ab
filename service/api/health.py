"""`GET /healthz`, `/readyz` and `/metrics`: for orchestrators and Prometheus.

The routes and their answers. Alive means that a restart would not help. Ready means that a request
sent now would be written. Idle is not stalled, and slow is not dead.
"""

from collections.abc import Callable
from typing import Literal

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST
from typing_extensions import TypedDict

from service.access.route_flags import public
from service.api.response_models import closed
from service.engine.engine import Engine
from service.models.registry import Registry


@closed
class Alive(TypedDict):
    """A restart would not help."""

    status: Literal["alive"]


@closed
class NotAlive(TypedDict):
    """The process cannot do its work any more."""

    status: Literal["not alive"]
    reason: str


@closed
class Ready(TypedDict):
    """A request sent now would be written."""

    status: Literal["ready"]


@closed
class NotReady(TypedDict):
    """A request sent now would be refused."""

    status: Literal["not ready"]
    reason: str


def health_blueprint(
    engine: Engine, registry: Registry, exposition: Callable[[], bytes]
) -> Blueprint:
    """Blueprint of `/healthz`, `/readyz` and `/metrics`; `exposition` is in Prometheus' format."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    @public
    def healthz() -> Response:
        trouble = engine.trouble if engine.is_broken else None
        if trouble is None:
            return jsonify(Alive(status="alive"))
        return unavailable(NotAlive(status="not alive", reason=trouble))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        if (trouble := why_not_ready(engine, registry)) is None:
            return jsonify(Ready(status="ready"))
        return unavailable(NotReady(status="not ready", reason=trouble))

    @blueprint.get("/metrics")
    def show_metrics() -> Response:
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def why_not_ready(engine: Engine, registry: Registry) -> str | None:
    """Reason why a request sent now would not be written; None when it would."""
    if engine.trouble is not None:
        return engine.trouble
    return registry.catalogue.trouble


def unavailable(answer: NotAlive | NotReady) -> Response:
    """Response with status 503."""
    response = jsonify(answer)
    response.status_code = 503
    return response
