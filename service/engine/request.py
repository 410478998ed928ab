"""One request on its way: where it stands, whether it was cancelled, and when things happened.

    WAITING -> FEEDING -> WRITING -> ENDED      and from anywhere straight to ENDED

Knows nothing of tensors and HTTP. Only the engine moves a request on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal, Protocol

from model.decoding.generation import Generation, Piece
from model.tokenizer import EncodedPrompt
from service.engine.failure import Failure
from service.engine.outbox import Outbox

if TYPE_CHECKING:  # they load torch, which the master process never does
    from model.decoding.prompt_scores import PromptScores
    from model.inspection import Inspection

Outcome = Literal["stop", "length", "cancelled", "error"]


class Phase(Enum):
    """Where a request stands."""

    WAITING = auto()  # for free slots
    FEEDING = auto()  # its prompt goes through the network
    WRITING = auto()
    ENDED = auto()


class Request:
    """`generations` are the texts to write, one row each, all after the same prompt.

    There may be none, where the prompt is only to be scored. With `prompt_logprobs` it is, with so
    many alternatives at each place; `scored_prompt` has them once it is fed. A scored prompt with
    an `inspected_layer`, counted from 0, is fed by itself; `inspection` tells what the layer did.

    Requests that share an outbox number their texts through, each from its `first_index` on.
    """

    def __init__(
        self,
        *,
        request_id: str,
        model: str,
        runner: "Runner",
        prompt: EncodedPrompt,
        generations: Sequence[Generation],
        outbox: Outbox | None = None,
        first_index: int = 0,
        prompt_logprobs: int | None = None,
        inspected_layer: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.request_id = request_id
        self.model = model  # its name, for those who count
        self.runner = runner
        self.prompt = prompt
        self.generations = tuple(generations)
        self.outbox = outbox if outbox is not None else Outbox()
        self.first_index = first_index
        self.prompt_logprobs = prompt_logprobs
        self.scored_prompt: PromptScores | None = None
        self.inspected_layer = inspected_layer
        self.inspection: Inspection | None = None
        self.phase = Phase.WAITING
        self.outcome: Outcome | None = None
        self.failure: Failure | None = None  # why it ended without its text
        self.is_cancelled = False
        self.num_cached_tokens = 0  # of the prompt, whose state was known
        self.submitted_at = clock()
        self.began_at: float | None = None
        self.first_piece_at: float | None = None
        self.ended_at: float | None = None
        self._clock = clock

    @property
    def num_rows(self) -> int:
        """How many rows it needs at once; one while its prompt is fed for no text at all."""
        return max(1, len(self.generations))

    @property
    def needs_feeding(self) -> bool:
        """Whether there is anything to compute."""
        return self.prompt_logprobs is not None or not self.is_written

    @property
    def fed_together(self) -> int:
        """How many prompts like its own to feed in one call."""
        if self.inspected_layer is not None:
            return 1
        is_fed = self.prompt_logprobs is None
        return self.runner.fed_together if is_fed else self.runner.scored_together

    @property
    def is_sound(self) -> bool:
        """Whether what was wanted of its prompt are numbers."""
        return all(each is None or each.is_sound for each in (self.scored_prompt, self.inspection))

    @property
    def num_prompt_tokens(self) -> int:
        """The prompt's length, without the `<s>` that opens every text."""
        return len(self.prompt.ids) - 1

    @property
    def num_tokens(self) -> int:
        """How many tokens were written so far."""
        return sum(generation.num_tokens for generation in self.generations)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase is Phase.ENDED

    @property
    def is_written(self) -> bool:
        """Whether every text has come to its end."""
        return all(generation.is_finished for generation in self.generations)

    @property
    def written_outcome(self) -> Outcome:
        """How it ended when all went well; one text cut short counts for all."""
        reasons = {generation.finish_reason for generation in self.generations}
        return "length" if "length" in reasons else "stop"

    def is_fed_like(self, other: "Request") -> bool:
        """Whether the prompts of both may be fed in one call."""
        kind, other_kind = (
            (each.runner, each.prompt_logprobs is None, each.inspected_layer is None)
            for each in (self, other)
        )
        return kind == other_kind

    def tell_endings(self) -> None:
        """Put a last piece without text for each of its texts, none of which was to be written."""
        for index, generation in enumerate(self.generations):
            nothing = Piece(text="", num_tokens=0, finish_reason=generation.finish_reason)
            self.outbox.put(self.first_index + index, nothing)

    def begin(self) -> float:
        """It has its slots, and its prompt is being fed; the seconds that it has waited."""
        self.phase = Phase.FEEDING
        self.began_at = self._clock()
        return self.began_at - self.submitted_at

    def note_first_piece(self) -> float | None:
        """Seconds since submission, the first time; None after that."""
        if self.first_piece_at is not None:
            return None
        self.first_piece_at = self._clock()
        return self.first_piece_at - self.submitted_at

    def end(self, outcome: Outcome, failure: Failure | None = None) -> float:
        """Nothing more will happen; the seconds it took."""
        self.phase = Phase.ENDED
        self.outcome = outcome
        self.failure = failure
        self.ended_at = self._clock()
        return self.ended_at - self.submitted_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """One row's next piece, and whether the text can go on or the numbers were not finite."""

    request: Request
    index: int
    piece: Piece
    is_sound: bool = True


class Runner(Protocol):
    """What the engine asks of a loaded checkpoint; called by the engine thread alone."""

    @property
    def fed_together(self) -> int:
        """How many prompts to feed in one call."""
        ...

    @property
    def scored_together(self) -> int:
        """How many where they are scored."""
        ...

    def feed(self, requests: Sequence[Request]) -> list[Request]:
        """Feed one chunk of each prompt, which are all scored or none of them.

        Returns those that are fed and whose texts have rows now, and those that proved unsound.
        """
        ...

    def step(self, count: int) -> list[Stepped]:
        """`count` tokens for every text that has a row; a text that ends gives its row back."""
        ...

    def drop(self, request: Request) -> None:
        """Forget the request, wherever it stands; nothing happens if it is not known."""
        ...
