"""Generation: the progress of one text, token ids in, pieces of text out, until it has ended.

The reference driver and the serving engine both put every chosen id through this class, so
they cannot differ in decoding, hold-back or endings. Knows nothing of tensors or threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.decoding.avoidance import Avoidance
from model.decoding.resumption import FIELD, ReceivedText, Resumption
from model.decoding.stopping import FinishReason, StopMatcher
from model.decoding.token_marks import LINE_BREAK, breaks_of
from model.decoding.verse_ends import VerseEnds
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
    # The stop string, "end_of_document", or the parameter that ended the text with a line.
    stop_reason: str | None = None


class Generation:
    """Progress of one generated text. `params` has its seed; `prompt.ids` opens with `<s>`."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        prompt: EncodedPrompt,
        params: SamplingParams,
        bias: Mapping[int, float] | None = None,
        resumption: Resumption | None = None,
    ) -> None:
        """Begin a text, or go on with one. `bias` is by token id, beside the `logit_bias` by text.

        Raises ParameterError for a `logit_bias` that the vocabulary has no character for, for
        a wish to end with a line where it has no line break, and for a received text that these
        parameters end before.
        """
        self.prompt = prompt
        self.params = params
        self.breaks = breaks_of(tokenizer)
        self.bias = {**bias_by_id(tokenizer, params), **(bias if bias is not None else {})}
        self.num_tokens = 0
        self.finish_reason: FinishReason | None = None
        self.stop_reason: str | None = None
        self._decoder = tokenizer.stream_decoder()
        self._stops = StopMatcher(params.stop)
        self._ends = _verse_ends(tokenizer, prompt, params)
        # What is drawn passes through here first, where words are avoided: see `next_piece`.
        self.avoidance = Avoidance(tokenizer, prompt, params) if params.avoid else None
        self._received = None if resumption is None else ReceivedText(resumption)
        self._read_ids = () if resumption is None else resumption.ids
        if params.max_tokens == 0:
            self.finish_reason = "length"
        self.accept(self._read_ids)
        if self.is_other:
            raise ParameterError(FIELD, "goes on where the text of this request has ended")

    @property
    def fed_ids(self) -> tuple[int, ...]:
        """Ids to feed before anything is sampled: the prompt, and what of the text is read."""
        return (*self.prompt.ids, *self._read_ids)

    @property
    def num_read(self) -> int:
        """Count of tokens that were read and not sampled, since they had been received."""
        return len(self._read_ids)

    @property
    def received_text(self) -> str:
        """Received text, which is left out, as far as it was read or written again."""
        return "" if self._received is None else self._received.so_far

    @property
    def is_other(self) -> bool:
        """True where what is written is not what was received."""
        if self._received is None:
            return False
        return self._received.is_other or (self.is_finished and not self._received.is_caught_up)

    @property
    def is_finished(self) -> bool:
        """True once the text has ended: no further token is wanted."""
        return self.finish_reason is not None

    def accept(self, ids: Sequence[int]) -> str:
        """Take chosen ids, give the text to show now; sets `finish_reason` at the end.

        Ids past the end are not wanted: they count for nothing.
        """
        text = ""
        if not self.params.stop and self._ends is None:
            text = self._accept_all(ids)
        else:
            for token_id in ids:  # one by one: the text may end after any of them
                if self.is_finished:
                    break
                text += self._accept_all((token_id,))
        return text if self._received is None else self._received.left_out_of(text)

    def _accept_all(self, ids: Sequence[int]) -> str:
        wanted = ids[: self.params.max_tokens - self.num_tokens]
        if ends := BOS_ID in wanted:
            wanted = wanted[: wanted.index(BOS_ID)]
        position = self.num_tokens
        self.num_tokens += len(wanted) + ends
        text = self._passed(self._decoder.feed(wanted), position)
        if self._stops.found is not None:
            self.finish_reason, self.stop_reason = "stop", self._stops.found
        elif self._ends is not None and self._ends.found is not None:
            self.finish_reason, self.stop_reason = "stop", self._ends.found
            text += self._stops.finish()
        elif ends:
            text += self._finish("stop", "end_of_document")
        elif self.num_tokens >= self.params.max_tokens:
            text += self._finish("length", None)
        return text

    def _passed(self, text: str, position: int) -> str:
        """Text that may be shown, of what the token at `position` completes."""
        return self._stops.feed(text if self._ends is None else self._ends.feed(text, position))

    def _finish(self, reason: FinishReason, stop_reason: str | None) -> str:
        self.finish_reason, self.stop_reason = reason, stop_reason
        rest = self._passed(self._decoder.finish(), self.num_tokens)
        if self._ends is not None:
            rest += self._stops.feed(self._ends.finish())
        rest += self._stops.finish()
        if self._stops.found is not None:  # the last half character completed a stop string
            self.finish_reason, self.stop_reason = "stop", self._stops.found
        return rest


def _verse_ends(
    tokenizer: Tokenizer, prompt: EncodedPrompt, params: SamplingParams
) -> VerseEnds | None:
    asked = [
        name
        for name in ("max_lines", "max_stanzas", "soft_end")
        if getattr(params, name) is not None
    ]
    if not asked:
        return None
    marks = breaks_of(tokenizer)
    if LINE_BREAK not in marks:
        raise ParameterError(asked[0], "needs a model that writes line breaks, this one has none")
    ids = prompt.ids
    start = next((i for i in range(len(ids), 0, -1) if marks[ids[i - 1]] == LINE_BREAK), 0)
    is_first = not any(tokenizer.token_texts[i].strip() for i in ids[:start])
    return VerseEnds(tokenizer.decode(ids[start:]), params, is_first=is_first)


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
