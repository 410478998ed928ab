"""What the routes answer, as models: the document is made of them, and tests hold answers to them.

Strict: a member that stands in no model here is an error in one of the two.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from model.config import Cell

FinishReason = Literal["stop", "length", "cancelled"]
ErrorType = Literal["invalid_request_error", "rate_limit_error", "overloaded_error", "server_error"]

FINISH = "stop, length (max_tokens was reached) or cancelled (by its id)"
STOP = "the stop string that ended the text, or end_of_document; null for another end"


class AnswerModel(BaseModel):
    """An object with these members and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Alternative(AnswerModel):
    """A token that might have stood there."""

    token: str
    logprob: float = Field(le=0)


class TokenLogprob(AnswerModel):
    """One token, how likely the model found it, and the likeliest ones in its place."""

    token: str = Field(description="its text; <s> is the end of the document")
    logprob: float = Field(le=0, description="in nats, before any sampling field")
    top: list[Alternative]


class Usage(AnswerModel):
    """What was read and written, in tokens."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)


class PromptFacts(AnswerModel):
    """How the prompt's characters were read."""

    folded: int = Field(ge=0, description="unknown ones that were written as look-alikes")
    unknown: int = Field(ge=0, description="unknown ones without a look-alike")


class GenerateOpening(AnswerModel):
    """The first event of a stream; the same opens the JSON answer."""

    id: str = Field(description="to cancel it by")
    model: str
    seed: int = Field(ge=0, description="send it to get the same text again")
    prompt: PromptFacts


class GenerateChoice(AnswerModel):
    """One whole text."""

    index: int = Field(ge=0)
    text: str
    finish_reason: FinishReason = Field(description=FINISH)
    stop_reason: str | None = Field(description=STOP)
    logprobs: list[TokenLogprob] | None = Field(description="one a token; null when not asked for")


class GenerateAnswer(GenerateOpening):
    """Everything at once, when it is done."""

    choices: list[GenerateChoice] = Field(min_length=1)
    usage: Usage


class GeneratePiece(AnswerModel):
    """An event with a piece of text; pieces of several texts are mixed."""

    index: int = Field(ge=0, description="of the text that this is a piece of")
    text: str
    logprobs: list[TokenLogprob] = Field(default=[], description="of the piece's tokens")
    finish_reason: FinishReason | None = Field(None, description=f"in the last piece: {FINISH}")
    stop_reason: str | None = Field(None, description=f"in the last piece: {STOP}")


class UsageEvent(AnswerModel):
    """The last event before `data: [DONE]`."""

    usage: Usage


class ErrorFacts(AnswerModel):
    """What went wrong and what would be right."""

    message: str = Field(min_length=1)
    type: ErrorType
    param: str | None = Field(description="the field to change")
    code: str | None = Field(description="for programs")


class ErrorAnswer(AnswerModel):
    """Every error: an answer by itself, or an event in a stream that failed half-way."""

    error: ErrorFacts


class GenerateEvent(RootModel[GenerateOpening | GeneratePiece | UsageEvent | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/generate`."""


class Cancelled(AnswerModel):
    """A generation that was ended by its id."""

    id: str
    status: Literal["cancelled"]


class CompletionLogprobs(AnswerModel):
    """Four lists with an entry a token."""

    tokens: list[str]
    token_logprobs: list[float | None] = Field(description="null for an echoed prompt's first")
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int] = Field(description="where the token begins in the choice's text")


class CompletionChoice(AnswerModel):
    """One text; choice i of prompt p has the index p x n + i."""

    index: int = Field(ge=0)
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: FinishReason = Field(description=FINISH)
    stop_reason: str | None = Field(description=STOP)


class ChunkChoice(AnswerModel):
    """A piece of a text."""

    index: int = Field(ge=0)
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: FinishReason | None = Field(description=f"null but in the last piece: {FINISH}")
    stop_reason: str | None = Field(description=STOP)


class CompletionFacts(AnswerModel):
    """What an answer and its chunks have in common."""

    id: str = Field(description="to cancel it by")
    object: Literal["text_completion"]
    created: int = Field(description="seconds since 1970")
    model: str
    system_fingerprint: str = Field(
        description="a hash of the checkpoint: while it stays, a seed gives the same text"
    )


class CompletionAnswer(CompletionFacts):
    """Everything at once, when it is done."""

    choices: list[CompletionChoice] = Field(min_length=1)
    usage: Usage


class CompletionChunk(CompletionFacts):
    """An event with a piece of one choice; with include_usage the last one has no choice."""

    choices: list[ChunkChoice] = Field(max_length=1)
    usage: Usage | None = Field(
        None, description="only with include_usage, and null but in the last chunk"
    )


class CompletionEvent(RootModel[CompletionChunk | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/completions`."""


class TextFacts(PromptFacts):
    """The text as it was scored."""

    characters: int = Field(ge=1)


class ScoreAnswer(AnswerModel):
    """How surprising a text is, as a whole and token by token."""

    id: str = Field(description="to cancel it by")
    model: str
    text: TextFacts
    nats_per_character: float
    bits_per_character: float
    perplexity: float = Field(description="by character")
    tokens: list[TokenLogprob] = Field(description="each given all before it")


class Likely(AnswerModel):
    """A token that was likely at a place."""

    token: str
    probability: float = Field(ge=0, le=1)


class TokenSeen(Likely):
    """A token of the text, as it was read."""

    surprisal: float = Field(ge=0, description="in bits, given all before it")
    top: list[Likely] = Field(description="the likeliest in its place")


class GateOpenings(AnswerModel):
    """How far the gates stood open, as means over the units of the layer: a number a token."""

    input: list[float]
    forget: list[float]
    output: list[float]


class InspectAnswer(AnswerModel):
    """What one layer did while it read a text of T tokens; H is its width."""

    id: str = Field(description="to cancel it by")
    model: str
    num_layers: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    layer: int = Field(ge=0, description="0 is the lowest")
    text: TextFacts
    tokens: list[TokenSeen] = Field(description="each given all before it")
    gates: GateOpenings | None = Field(description="null where the cell is no lstm")
    hidden: str = Field(description="base64 of T x H signed bytes: round(127 h)")
    cell: str | None = Field(
        description="base64 of T x H signed bytes: round(127 tanh(c)); null where there is none"
    )


class ModelEntry(AnswerModel):
    """One model."""

    id: str = Field(description="what to send as model")
    object: Literal["model"]
    created: int = Field(description="when the checkpoint was written, in seconds since 1970")
    owned_by: Literal["strophe"]


class ModelList(AnswerModel):
    """The models on offer."""

    object: Literal["list"]
    data: list[ModelEntry]
    default: str | None = Field(description="the model of requests that name none")


class ModelDetails(ModelEntry):
    """One model, with the shape of its network."""

    cell: Cell
    num_layers: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    embedding_size: int = Field(ge=1)
    vocab_size: int = Field(ge=1)
    path: str = Field(description="how its steps are computed: int8 or fp32")
    card: str = Field(description="what training wrote beside it, in Markdown")


class Alive(AnswerModel):
    """A restart would not help."""

    status: Literal["alive"]


class NotAlive(AnswerModel):
    """The process cannot do its work any more."""

    status: Literal["not alive"]
    reason: str


class Ready(AnswerModel):
    """A request sent now would be written."""

    status: Literal["ready"]


class NotReady(AnswerModel):
    """A request sent now would be refused."""

    status: Literal["not ready"]
    reason: str
