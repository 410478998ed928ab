"""`GET /v1/models`: the models on offer, in the shape of OpenAI's list; and one model's details.

The routes and their answers.
"""

from typing import Annotated, Literal

from flask import Blueprint, Response, jsonify
from pydantic import Field
from typing_extensions import TypedDict

from model.config import Cell
from service.api.prompt_length import longest_prompt
from service.api.response_models import FINGERPRINT, closed
from service.api.submission import find_model
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.settings import Settings

Size = Annotated[int, Field(ge=1)]


@closed
class ModelEntry(TypedDict):
    """One model."""

    id: Annotated[str, Field(description="what to send as model")]
    object: Literal["model"]
    created: Annotated[
        int, Field(description="when the checkpoint was written, in seconds since 1970")
    ]
    owned_by: Literal["strophe"]
    purpose: Annotated[str | None, Field(description="what it is for, in a few words")]


@closed
class ModelList(TypedDict):
    """The models on offer."""

    object: Literal["list"]
    data: list[ModelEntry]
    default: Annotated[str | None, Field(description="the model of requests that name none")]


@closed
class ModelDetails(ModelEntry):
    """One model, with the shape of its network."""

    cell: Cell
    num_layers: Size
    hidden_size: Size
    embedding_size: Size
    vocab_size: Size
    max_prompt: Annotated[int, Field(ge=1, description="characters of the longest prompt")]
    fingerprint: Annotated[str, Field(description=FINGERPRINT)]
    path: Annotated[str, Field(description="how its steps are computed: int8 or fp32")]
    card: Annotated[str, Field(description="what training wrote beside it, in Markdown")]


def models_blueprint(settings: Settings, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/models` and `/v1/models/<name>`."""
    blueprint = Blueprint("models", __name__)

    @blueprint.get("/v1/models")
    def list_models() -> Response:
        catalogue = registry.catalogue  # once: the default is one of these models
        answer: ModelList = {
            "object": "list",
            "data": [entry_of(served) for served in catalogue.models],
            "default": catalogue.default_name,
        }
        return jsonify(answer)

    @blueprint.get("/v1/models/<path:name>")
    def show_model(name: str) -> Response:
        return jsonify(details_of(find_model(registry, name), settings))

    return blueprint


def entry_of(served: ServedModel) -> ModelEntry:
    """Response model of one model, as the list shows it."""
    return {
        "id": served.name,
        "object": "model",
        "created": int(served.written_at),
        "owned_by": "strophe",
        "purpose": served.purpose,
    }


def details_of(served: ServedModel, settings: Settings) -> ModelDetails:
    """Response model of one model with its network's shape and its card."""
    shape = served.architecture
    return {
        **entry_of(served),
        "cell": shape.cell,
        "num_layers": shape.num_layers,
        "hidden_size": shape.hidden_size,
        "embedding_size": shape.embedding_size,
        "vocab_size": shape.vocab_size,
        "max_prompt": longest_prompt(settings, served),
        "fingerprint": served.fingerprint,
        "path": served.runner.backend_name,
        "card": served.card,
    }
