"""Resumption: a text that broke off goes on at its next character, as if it had never broken.

A text is a function of its request and seed, so what a client has received need not be kept
anywhere: it is either read, where its tokens are known (a character model's are its characters) and
reading leaves the very state that writing them left, or else written once more in silence.
Knows nothing of tensors, rows and requests.
"""

from dataclasses import dataclass

from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import UNK_ID, Tokenizer

FIELD = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """Received part of a text: `length` characters, and which, if that is known.

    `ids` are the tokens that wrote them, where they can be read; else they are written again.
    """

    length: int
    text: str | None = None
    ids: tuple[int, ...] = ()


def resumption_of(
    tokenizer: Tokenizer, params: SamplingParams, text: str, *, is_exact: bool
) -> Resumption:
    """Resumption behind `text`, which is read where reading is as good as writing.

    `is_exact` says that a backend's state is the same however tokens came to it. Subword models
    write the same text by several rows of tokens, and a text that avoids words may have gone back
    before it came here. Raises ParameterError (field `received`) for what the model cannot write.
    """
    ids = tuple(tokenizer.encode(text))
    if UNK_ID in ids or tokenizer.decode(ids) != text:
        raise ParameterError(FIELD, "holds characters that this model does not write")
    is_read = is_exact and tokenizer.kind == "char" and not params.avoid
    return Resumption(length=len(text), text=text, ids=ids if is_read else ())


class ReceivedText:
    """Received text: it is left out of what is written, and compared with it where it is known."""

    def __init__(self, resumption: Resumption) -> None:
        self.is_other = False  # what is written differs from what was received
        self._text = resumption.text
        self._length = resumption.length
        self._pieces: list[str] = []
        self._seen = 0

    @property
    def is_caught_up(self) -> bool:
        """True once all of it was written again, or read."""
        return self._seen == self._length

    @property
    def so_far(self) -> str:
        """Received text as far as it was written again, or read: all of it, once caught up."""
        return "".join(self._pieces)

    def left_out_of(self, text: str) -> str:
        """Rest of the next piece of `text`, behind what was received."""
        again = text[: self._length - self._seen]
        if self._text is not None and not self._text.startswith(again, self._seen):
            self.is_other = True
        if again:
            self._seen += len(again)
            self._pieces.append(again)
        return "" if self.is_other else text[len(again) :]
