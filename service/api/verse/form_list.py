"""`GET /v1/forms`: the forms that have a name, each with what it is and its spec."""

from typing import Annotated, Any

from flask import Blueprint, Response, jsonify
from pydantic import Field
from typing_extensions import TypedDict

from service.api.response_models import closed
from verse.forms import PoemSpec
from verse.presets import DEFAULT_TAIL, DESCRIPTIONS, FORM_NAMES, WORD_PRESETS, preset

SHOWN_WORDS = {"acrostic": "VERSE", "ghazal": DEFAULT_TAIL}


@closed
class FormFacts(TypedDict):
    """A form by its name."""

    name: str
    description: str
    num_lines: Annotated[int, Field(ge=1, description="without a word, those of the spec shown")]
    takes_word: Annotated[bool, Field(description="whether `word` says what it spells or ends on")]
    needs_prosody: Annotated[bool, Field(description="whether it needs a model of English")]
    spec: Annotated[dict[str, Any], Field(description="as `spec` of /v1/poems takes it")]


@closed
class FormList(TypedDict):
    """All forms that have a name."""

    forms: list[FormFacts]


def form_list_blueprint() -> Blueprint:
    """Blueprint of `/v1/forms`."""
    blueprint = Blueprint("forms", __name__)

    @blueprint.get("/v1/forms")
    def list_forms() -> Response:
        answer: FormList = {"forms": [form_facts(name) for name in FORM_NAMES]}
        return jsonify(answer)

    return blueprint


def form_facts(name: str) -> FormFacts:
    """Response model of one form; one that takes a word is shown with an example."""
    spec = preset(name, SHOWN_WORDS.get(name))
    return {
        "name": name,
        "description": DESCRIPTIONS[name],
        "num_lines": len(spec.lines),
        "takes_word": name in WORD_PRESETS,
        "needs_prosody": spec.needs_prosody,
        "spec": spec_facts(spec),
    }


def spec_facts(spec: PoemSpec) -> dict[str, Any]:
    """Form as JSON has it, without the demands that it does not make."""
    return spec.model_dump(mode="json", exclude_none=True)
