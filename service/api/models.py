"""`GET /v1/models`: what is on offer, in the shape of OpenAI's list."""

from typing import Any

from flask import Blueprint, Response, jsonify

from service.api.submission import find_model
from service.models.registry import Registry, ServedModel


def models_blueprint(registry: Registry) -> Blueprint:
    """The two routes."""
    blueprint = Blueprint("models", __name__)

    @blueprint.get("/v1/models")
    def list_models() -> Response:
        data = [as_json(served) for served in registry.served]
        return jsonify(object="list", data=data, default=registry.default_name)

    @blueprint.get("/v1/models/<path:name>")
    def show_model(name: str) -> Response:
        served = find_model(registry, name)
        return jsonify({**as_json(served), **details(served)})

    return blueprint


def as_json(served: ServedModel) -> dict[str, Any]:
    """One model, as the list shows it."""
    return {
        "id": served.name,
        "object": "model",
        "created": int(served.source.written_at),
        "owned_by": "strophe",
    }


def details(served: ServedModel) -> dict[str, Any]:
    """What the list leaves out: the network's shape and its card."""
    shape = served.architecture
    return {
        "cell": shape.cell,
        "num_layers": shape.num_layers,
        "hidden_size": shape.hidden_size,
        "embedding_size": shape.embedding_size,
        "vocab_size": shape.vocab_size,
        "path": served.runner.path_name,
        "card": served.card,
    }
