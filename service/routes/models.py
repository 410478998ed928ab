"""`GET /v1/models`: what is on offer, in the shape of OpenAI's list."""

from typing import Any

from flask import Blueprint, Response, jsonify

from service.intake import find_model
from service.registry import Registry, Served


def models_blueprint(registry: Registry) -> Blueprint:
    """The two routes."""
    blueprint = Blueprint("models", __name__)

    @blueprint.get("/v1/models")
    def list_models() -> Response:
        return jsonify(object="list", data=[as_json(served) for served in registry.served])

    @blueprint.get("/v1/models/<path:name>")
    def show_model(name: str) -> Response:
        return jsonify(as_json(find_model(registry, name)))

    return blueprint


def as_json(served: Served) -> dict[str, Any]:
    """One model."""
    return {
        "id": served.name,
        "object": "model",
        "created": int(served.source.written_at),
        "owned_by": "strophe",
    }
