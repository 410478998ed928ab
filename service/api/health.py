"""`GET /healthz`, `/readyz` and `/metrics`: for orchestrators and Prometheus.

The routes and their answers. Alive means that a restart would not help. Ready means that a request
sent now would be written. Idle is not stalled, and slow is not dead.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field
from typing_extensions import TypedDict

from service.access.route_flags import public
from service.api.response_models import FINGERPRINT, closed
from service.engine.engine import Engine
from service.models.catalogue import Catalogue
from service.models.registry import Registry
from service.models.store_watch import StoreWatch


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
class LoadedModelFacts(TypedDict):
    """Model on offer, and which checkpoint it is."""

    name: str
    fingerprint: Annotated[str, Field(description=FINGERPRINT)]
    generation: Annotated[
        int, Field(ge=1, description="1 for the first of its name, and 1 more at each swap")
    ]
    path: Annotated[str, Field(description="how its steps are computed: int8 or fp32")]


@closed
class DefaultFacts(TypedDict):
    """The model of requests that name none."""

    model: str
    reason: Annotated[str, Field(description="why it is the default")]


@closed
class StoreFacts(TypedDict):
    """A store of checkpoints, and whether all that lies in it is served."""

    address: str
    trouble: Annotated[str | None, Field(description="null where all is well")]


@closed
class Offer(TypedDict):
    """Models that the service has loaded, and the stores that they come from."""

    models: list[LoadedModelFacts]
    stores: list[StoreFacts]
    default: Annotated[DefaultFacts | None, Field(description="null where there is none yet")]


@closed
class Ready(Offer):
    """A request sent now would be written."""

    status: Literal["ready"]


@closed
class NotReady(Offer):
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
        catalogue = registry.catalogue  # once: the default is one of these models
        offer = offer_of(catalogue, registry.stores)
        if (trouble := why_not_ready(engine, catalogue)) is None:
            return jsonify(Ready(status="ready", **offer))
        return unavailable(NotReady(status="not ready", reason=trouble, **offer))

    @blueprint.get("/metrics")
    def show_metrics() -> Response:
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def offer_of(catalogue: Catalogue, stores: Sequence[StoreWatch]) -> Offer:
    """Models on offer with their fingerprints and generations, the default, and the stores."""
    default = catalogue.default
    return {
        "models": [
            {
                "name": model.name,
                "fingerprint": model.fingerprint,
                "generation": model.generation,
                "path": model.runner.backend_name,
            }
            for model in catalogue.models
        ],
        "default": None if default is None else {"model": default.name, "reason": default.reason},
        "stores": [{"address": store.address, "trouble": store.trouble} for store in stores],
    }


def why_not_ready(engine: Engine, catalogue: Catalogue) -> str | None:
    """Reason why a request sent now would not be written; None when it would."""
    return engine.trouble if engine.trouble is not None else catalogue.trouble


def unavailable(answer: NotAlive | NotReady) -> Response:
    """Response with status 503."""
    response = jsonify(answer)
    response.status_code = 503
    return response
