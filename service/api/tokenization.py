"""`/tokenize`, `/detokenize` and `/tokenizer_info`: text to token ids and back, in vLLM's shapes.

For programs that score texts by token ids, such as lm-evaluation-harness. The routes, their bodies
and their answers. Fields that only other servers have are left aside, and named in the answer.
"""

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict

from model.tokenizer import BOS_ID, DOCUMENT_END, UNKNOWN, Tokenizer, TokenizerKind
from service.api.prompt_length import longest_prompt, require_fits
from service.api.request_body import (
    TokenId,
    ignored_fields_header,
    json_object,
    unknown_fields,
    validated,
    whole_characters,
)
from service.api.response_models import Count, closed
from service.api.submission import find_model
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.settings import Settings


class TokenizeRequest(BaseModel):
    """A text that is to be encoded as token ids."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    prompt: str = Field(
        description="the text; `<s>` by itself is the token that opens and ends a document"
    )
    add_special_tokens: bool = Field(
        True, description="begin with the token that opens a document, as the model reads a prompt"
    )
    return_token_strs: bool = Field(False, description="give the text of each token as well")

    _whole_characters = field_validator("prompt")(whole_characters)


class DetokenizeRequest(BaseModel):
    """Token ids that are to be decoded to a text."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    tokens: list[TokenId] = Field(description="ids of the model's tokens")


@closed
class TokenizeAnswer(TypedDict):
    """Token ids of a text, as a model reads it."""

    count: Annotated[int, Field(ge=0, description="how many ids there are")]
    max_model_len: Annotated[int, Field(ge=1, description="the longest prompt that is taken here")]
    tokens: list[TokenId]
    token_strs: Annotated[list[str] | None, Field(description="null where nobody asked for them")]


@closed
class DetokenizeAnswer(TypedDict):
    """Text that token ids write; `<s>` writes nothing."""

    prompt: str


@closed
class TokenizerInfo(TypedDict):
    """Tokenizer of the default model, under the names of a tokenizer_config.json."""

    tokenizer_class: Literal["SentencePieceProcessor"]
    model: Annotated[str, Field(description="the default model, whose tokenizer it is")]
    kind: Annotated[TokenizerKind, Field(description="char: a token is a character")]
    vocab_size: Count
    model_max_length: Annotated[int, Field(ge=1, description="the longest prompt taken here")]
    add_bos_token: Annotated[bool, Field(description="true: a prompt is read after bos_token")]
    bos_token: str
    eos_token: Annotated[str, Field(description="the same token: a document ends as one begins")]
    unk_token: str
    pad_token: None


def tokenization_blueprint(settings: Settings, registry: Registry) -> Blueprint:
    """Blueprint of `/tokenize`, `/detokenize` and `/tokenizer_info`."""
    blueprint = Blueprint("tokenization", __name__)

    @blueprint.post("/tokenize")
    def tokenize() -> Response:
        content = json_object(request)
        body = validated(TokenizeRequest, content)
        require_fits(len(body.prompt), settings.max_prompt, "max_prompt", "prompt")
        served = find_model(registry, body.model)
        tokenizer = served.runner.tokenizer
        ids = token_ids(body, tokenizer)
        answer: TokenizeAnswer = {
            "count": len(ids),
            "max_model_len": longest_prompt(settings, served),
            "tokens": ids,
            "token_strs": list(map(tokenizer.token_text, ids)) if body.return_token_strs else None,
        }
        return with_ignored_fields(jsonify(answer), content, TokenizeRequest)

    @blueprint.post("/detokenize")
    def detokenize() -> Response:
        content = json_object(request)
        body = validated(DetokenizeRequest, content)
        require_fits(len(body.tokens), settings.max_prompt, "max_prompt", "tokens", "tokens")
        tokenizer = find_model(registry, body.model).runner.tokenizer
        tokenizer.require_ids(body.tokens, "tokens")
        answer: DetokenizeAnswer = {"prompt": tokenizer.decode(body.tokens)}
        return with_ignored_fields(jsonify(answer), content, DetokenizeRequest)

    @blueprint.get("/tokenizer_info")
    def tokenizer_info() -> Response:
        served = find_model(registry, None)
        return jsonify(info_of(served, longest_prompt(settings, served)))

    return blueprint


def info_of(served: ServedModel, longest: int) -> TokenizerInfo:
    """Response model of a model's tokenizer; `longest` is the longest prompt taken."""
    tokenizer = served.runner.tokenizer
    return {
        "tokenizer_class": "SentencePieceProcessor",
        "model": served.name,
        "kind": tokenizer.kind,
        "vocab_size": tokenizer.vocab_size,
        "model_max_length": longest,
        "add_bos_token": True,
        "bos_token": DOCUMENT_END,
        "eos_token": DOCUMENT_END,
        "unk_token": UNKNOWN,
        "pad_token": None,
    }


def token_ids(body: TokenizeRequest, tokenizer: Tokenizer) -> list[int]:
    """Token ids of a text, with or without the one that opens every prompt."""
    if body.prompt == DOCUMENT_END:
        ids = [BOS_ID, BOS_ID]
    else:
        ids = tokenizer.encode_prompt(body.prompt).ids
    return ids if body.add_special_tokens else ids[1:]


def with_ignored_fields(
    response: Response, content: dict[str, Any], schema: type[BaseModel]
) -> Response:
    """Add the header that names the fields of a body that `schema` does not have."""
    response.headers.update(ignored_fields_header(unknown_fields(content, schema)))
    return response
