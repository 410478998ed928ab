"""Generation: the progress of one text, token ids in, pieces of text out, until it has ended.

The reference driver and the serving engine both put every chosen id through this class, so
they cannot differ in decoding, hold-back or endings. Knows nothing of tensors or threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.decoding.stopping import FinishReason, StopMatcher
from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, DOCUMENT_END, EncodedPrompt, Tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """Token with its log probability (nats) and the likeliest alternatives."""

    token_id: int
    token: str
    logprob: float
    top: tuple[tuple[str, float], ...]
    top_ids: tuple[int, ...] = ()  # of the same


def token_logprob(
    tokenizer: Tokenizer, token_id: int, values: Sequence[float], top_ids: Sequence[int]
) -> TokenLogprob:
    """Build a TokenLogprob from ids and log probabilities.

    `values` are the log probability of `token_id` and those of `top_ids`, or of more.
    """
    top = list(zip(top_ids, values[1:], strict=False))
    return TokenLogprob(
        token_id=token_id,
        token=tokenizer.token_text(token_id),
        logprob=values[0],
        top=tuple((tokenizer.token_text(i), value) for i, value in top),
        top_ids=tuple(i for i, _ in top),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Piece of generated text that may be shown now, with the tokens since the last piece."""

    text: str
    num_tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None  # set on the last piece
    stop_reason: str | None = None  # the stop string, or "end_of_document"


class Generation:
    """Progress of one generated text. `params` has its seed; `prompt.ids` opens with `<s>`."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        prompt: EncodedPrompt,
        params: SamplingParams,
        bias: Mapping[int, float] | None = None,
    ) -> None:
        """Begin a text. `bias` is by token id, beside the `logit_bias` of `params`, by text.

        Raises ParameterError for a `logit_bias` that the vocabulary has no character for.
        """
        self.prompt = prompt
        self.params = params
        self.bias = {**bias_by_id(tokenizer, params), **(bias if bias is not None else {})}
        self.num_tokens = 0
        self.finish_reason: FinishReason | None = None
        self.stop_reason: str | None = None
        self._decoder = tokenizer.stream_decoder()
        self._stops = StopMatcher(params.stop)
        if params.max_tokens == 0:
            self.finish_reason = "length"

    @property
    def is_finished(self) -> bool:
        """True once the text has ended: no further token is wanted."""
        return self.finish_reason is not None

    def accept(self, ids: Sequence[int]) -> str:
        """Take chosen ids, give the text to show now; sets `finish_reason` at the end.

        Ids past the end are not wanted: they count for nothing.
        """
        if not self.params.stop:
            return self._accept_all(ids)
        text = ""
        for token_id in ids:  # one by one: a stop string may end the text after any of them
            if self.is_finished:
                break
            text += self._accept_all((token_id,))
        return text

    def _accept_all(self, ids: Sequence[int]) -> str:
        wanted = ids[: self.params.max_tokens - self.num_tokens]
        if ends := BOS_ID in wanted:
            wanted = wanted[: wanted.index(BOS_ID)]
        self.num_tokens += len(wanted) + ends
        text = self._stops.feed(self._decoder.feed(wanted))
        if self._stops.found is not None:
            self.finish_reason, self.stop_reason = "stop", self._stops.found
        elif ends:
            text += self._finish("stop", "end_of_document")
        elif self.num_tokens >= self.params.max_tokens:
            text += self._finish("length", None)
        return text

    def _finish(self, reason: FinishReason, stop_reason: str | None) -> str:
        self.finish_reason, self.stop_reason = reason, stop_reason
        rest = self._stops.feed(self._decoder.finish()) + self._stops.finish()
        if self._stops.found is not None:  # the last half character completed a stop string
            self.finish_reason, self.stop_reason = "stop", self._stops.found
        return rest


def bias_by_id(tokenizer: Tokenizer, params: SamplingParams) -> dict[int, float]:
    """`logit_bias` of the parameters by token id.

    Raises ParameterError for what is not one known token. `<s>` by itself is the token that ends a
    document.
    """
    biases = {}
    for text, value in params.logit_bias.items():
        if text == DOCUMENT_END:
            biases[BOS_ID] = value
            continue
        ids = tokenizer.encode(text)
        if len(ids) != 1 or not tokenizer.knows(text):
            raise ParameterError("logit_bias", f"{text!r} is not a token of this model")
        biases[ids[0]] = value
    return biases
