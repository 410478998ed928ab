"""Schemathesis hooks: rules between fields, and validity that only the model can judge.

The document cannot tell these. Requests that are meant to be valid are made so; those meant to be
invalid stay as they are. Schemathesis loads this by SCHEMATHESIS_HOOKS.
"""

import zlib
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

from service.openapi.operations import OPERATIONS

FORMS = ("text/plain", "text/event-stream", "application/json")
WHOLE = {
    name
    for operation in OPERATIONS.values()
    if operation.body is not None
    for name, field in operation.body.model_fields.items()
    if field.annotation in (int, int | None)
}
KNOWN_TOKENS = 20  # every vocabulary has so many


@schemathesis.hook
def before_call(context: HookContext, case: "Case[Any]", kwargs: dict[str, Any]) -> None:
    """Choose the form of the answer, and let a valid request fit the model."""
    is_generate = case.operation.path == "/v1/generate"
    has_forms = is_generate or case.operation.path == "/v1/poems"
    form = FORMS[zlib.crc32(repr(case.body).encode("utf-8", "replace")) % len(FORMS)]
    if has_forms:
        case.headers["Accept"] = form
    if (
        case.meta is None
        or case.meta.generation.mode.is_negative
        or not isinstance(case.body, dict)
    ):
        return
    for name, value in case.body.items():
        if isinstance(value, float) and value.is_integer() and name in WHOLE:
            case.body[name] = int(value)  # 5.0 is an integer to JSON Schema, and none here
    if is_generate:
        fit_generate(case.body, form)
    elif (fit := FIT.get(case.operation.path)) is not None:
        fit(case.body)
    case.headers.pop("Last-Event-ID", None)
    fit_any(case.body, case.operation.path)


def fit_any(body: dict[str, Any], path: str) -> None:
    """Fit what only the model, or the request that is gone on with, can tell of any body."""
    # How many texts there are, and what they were, is known to the request alone.
    body.pop("received", None)
    if body.get("layer"):
        body["layer"] = 0  # how many a model has is known to the model alone
    if body.get("avoid") and path != "/v1/poems":
        body["avoid"] = ["love", "moon*"]  # what a word is no schema tells
    if body.get("units"):
        body["units"] = [0]  # and so is how wide
    if "model" in body:
        body["model"] = None  # a name that is made up is not found, whatever else is sent


def fit_generate(body: dict[str, Any], form: str) -> None:
    """Biases by characters that the model has; one text and nothing else in plain text."""
    if body.get("logit_bias"):
        body["logit_bias"] = dict(zip("abcdefgh", body["logit_bias"].values(), strict=False))
    if form == "text/plain":
        body.pop("n", None)
        body.pop("logprobs", None)
        body.pop("copies", None)


def fit_completion(body: dict[str, Any]) -> None:
    """Ids that the model has, and options only where they apply."""
    fit_by_contract(body)
    if isinstance(body.get("prompt"), list):
        body["prompt"] = [known(each) for each in body["prompt"]]
    body.pop("best_of", None)


def fit_chat(body: dict[str, Any]) -> None:
    """A message of the user that has a text, one name for the length, and fitting options."""
    fit_by_contract(body)
    body["messages"][-1].update(role="user", content="a")
    body.pop("max_completion_tokens", None)
    if not body.get("logprobs"):
        body.pop("top_logprobs", None)


def fit_by_contract(body: dict[str, Any]) -> None:
    """Biases by ids that the model has, and options only where they apply."""
    if body.get("logit_bias"):
        biases = enumerate(list(body["logit_bias"].values())[:KNOWN_TOKENS], start=1)
        body["logit_bias"] = {str(token): value for token, value in biases}
    if not body.get("stream"):
        body.pop("stream_options", None)


def fit_tokens(body: dict[str, Any]) -> None:
    """Ids that the model has."""
    body["tokens"] = known(body["tokens"])


def fit_poem(body: dict[str, Any]) -> None:
    """A form that there is, and that every model keeps somehow."""
    body.update(form="haiku", strict=False, keywords=[])
    fit_analysis(body)


def fit_analysis(body: dict[str, Any]) -> None:
    """A form by name alone: which specs go together is not for the document to tell."""
    if body.get("form") is not None:
        body["form"] = "haiku"
    body.pop("word", None)
    body.pop("spec", None)


def fit_rhymes(body: dict[str, Any]) -> None:
    """A word that has rhymes."""
    body["word"] = "night"


def known(prompt: object) -> object:
    """An id, or a list of ids, within every vocabulary; texts stay."""
    if isinstance(prompt, list):
        return [known(each) for each in prompt]
    return int(prompt) % KNOWN_TOKENS if isinstance(prompt, int | float) else prompt


FIT = {
    "/v1/completions": fit_completion,
    "/v1/chat/completions": fit_chat,
    "/detokenize": fit_tokens,
    "/v1/poems": fit_poem,
    "/v1/analyze": fit_analysis,
    "/v1/rhymes": fit_rhymes,
}
