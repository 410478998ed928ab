"""Engine request: phase, outcome, timings and results of one prompt and its texts, or of a poem.

    WAITING -> FEEDING -> WRITING -> ENDED      and from anywhere straight to ENDED

Holds the interfaces of runners and of the observer too. Knows nothing of tensors and HTTP.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal, Protocol

from model.decoding.generation import Generation, Piece
from model.decoding.prompt_scores import PromptScores
from model.layer_inspection import InspectedLayer, LayerInspection
from model.tokenizer import EncodedPrompt
from service.engine.composition import Composition
from service.engine.failure import Failure
from service.engine.outbox import Outbox
from verse.poem import ComposedLine

Outcome = Literal["stop", "length", "cancelled", "error"]


class Phase(Enum):
    """Phase of a request. The engine's thread moves it on; a cancel may end a waiting one."""

    WAITING = auto()  # for free slots
    FEEDING = auto()  # its prompt goes through the network
    WRITING = auto()
    ENDED = auto()


class Request:
    """Engine request: one prompt to feed, and the texts to write after it; or a composition.

    `generations` are the texts, one row each; there may be none, where the prompt is only to be
    scored. With `prompt_logprobs` it is, with so many alternatives at each place. A scored prompt
    with an `inspected_layer` is fed by itself. With a `composition` there are none either: it
    reads and writes by itself, and the prompt is what it begins with.
    Requests that share an outbox number their texts through, each from its `first_index` on.

    Who writes what, after the submission: the runner what feeding the prompt gives
    (`note_reading`, `note_scored`, `num_cached_tokens`, `num_fed_tokens`) and the tokens of the
    generations; the engine the phase, the ending and the times. Both do so on the engine's thread,
    but that a cancel ends a request that still waits, on the thread of whoever cancels and under
    the engine's lock. Readers of the outbox only read.
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
        inspected_layer: InspectedLayer | None = None,
        composition: Composition[Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.request_id = request_id
        self.model = model  # its name, for metrics
        self.runner = runner
        self.prompt = prompt
        self.generations = tuple(generations)
        self.outbox = outbox if outbox is not None else Outbox()
        self.first_index = first_index
        self.prompt_logprobs = prompt_logprobs
        self.inspected_layer = inspected_layer
        self.composition = composition
        # Set by the runner while the prompt is fed, and once it is.
        self.scored_prompt: PromptScores | None = None
        self.inspection: LayerInspection | None = None  # what the inspected layer did
        # Both while they grow, chunk by chunk, for who does not wait for the end.
        self.reading: tuple[PromptScores, LayerInspection] | None = None
        self.num_cached_tokens = 0  # of the prompt, whose state was known
        self.num_fed_tokens = 0  # of the prompt so far, those included
        # Set by the engine as the request moves on; times are seconds on `clock`.
        self.phase = Phase.WAITING
        self.outcome: Outcome | None = None
        self.failure: Failure | None = None  # why it ended without its text
        self.is_cancelled = False
        self.submitted_at = clock()
        self.began_at: float | None = None
        self.first_piece_at: float | None = None
        self.ended_at: float | None = None
        self._clock = clock

    @property
    def num_rows(self) -> int:
        """Count of rows that the request needs at once; one where it is to write no text at all."""
        return max(1, len(self.generations))

    @property
    def needs_feeding(self) -> bool:
        """Whether there is anything to compute for this request."""
        return self.prompt_logprobs is not None or not self.is_written

    @property
    def is_composed(self) -> bool:
        """Whether a composition asks for its steps."""
        return self.composition is not None

    @property
    def fed_together(self) -> int:
        """Count of prompts like this request's that one call of the runner may feed."""
        if self.inspected_layer is not None:
            return 1
        is_fed = self.prompt_logprobs is None
        return self.runner.fed_together if is_fed else self.runner.scored_together

    @property
    def is_finite(self) -> bool:
        """Whether what was computed of its prompt, or for its composition, are finite numbers."""
        found = (self.scored_prompt, self.inspection, self.composition)
        return all(each is None or each.is_finite for each in found)

    @property
    def fed_ids(self) -> tuple[int, ...]:
        """Ids to feed: the prompt, and what of its one text was received and is read."""
        return self.generations[0].fed_ids if self.generations else tuple(self.prompt.ids)

    @property
    def num_tokens_to_feed(self) -> int:
        """Count of ids to feed, without the `<s>` that opens every text."""
        return len(self.fed_ids) - 1

    @property
    def num_prompt_tokens(self) -> int:
        """Length of the prompt in tokens, without the `<s>` that opens every text."""
        return len(self.prompt.ids) - 1

    @property
    def num_tokens(self) -> int:
        """Count of tokens written so far, over its texts; of a composition, of characters."""
        composed = 0 if self.composition is None else self.composition.num_characters
        return composed + sum(generation.num_tokens for generation in self.generations)

    @property
    def is_ended(self) -> bool:
        """Whether the request has ended, well or not."""
        return self.phase is Phase.ENDED

    @property
    def is_written(self) -> bool:
        """Whether every text, or the composition, has come to its end."""
        if self.composition is not None:
            return self.composition.is_done
        return all(generation.is_finished for generation in self.generations)

    @property
    def written_outcome(self) -> Outcome:
        """Outcome of a request that went well: "length" where one of its texts was cut short."""
        reasons = {generation.finish_reason for generation in self.generations}
        return "length" if "length" in reasons else "stop"

    def is_fed_like(self, other: "Request") -> bool:
        """Whether the prompts of both requests may be fed in one call."""
        kind, other_kind = (
            (each.runner, each.prompt_logprobs is None, each.inspected_layer is None)
            for each in (self, other)
        )
        return kind == other_kind

    def put_empty_endings(self) -> None:
        """Put a last piece without text for each of its texts, none of which was to be written."""
        for index, generation in enumerate(self.generations):
            nothing = Piece(
                text="",
                num_tokens=0,
                finish_reason=generation.finish_reason,
                stop_reason=generation.stop_reason,
            )
            self.outbox.put(self.first_index + index, nothing)

    def begin_feeding(self) -> float:
        """Move on to FEEDING, with slots held; returns the seconds since submission."""
        self.phase = Phase.FEEDING
        self.began_at = self._clock()
        return self.began_at - self.submitted_at

    def note_scored(self, scores: PromptScores | None, inspection: LayerInspection | None) -> None:
        """Keep what feeding the prompt gave beside a state; None where it was not asked for."""
        self.scored_prompt, self.inspection = scores, inspection

    def note_reading(self, scores: PromptScores, inspection: LayerInspection) -> None:
        """Show what an inspected prompt's feeding gives, from its begin on."""
        self.reading = scores, inspection

    def begin_writing(self) -> None:
        """Move on to WRITING: the prompt is fed and every text has its row, or there is none."""
        self.phase = Phase.WRITING

    def note_first_piece(self) -> float | None:
        """Note the time of the first piece; returns seconds since submission, later None."""
        if self.first_piece_at is not None:
            return None
        self.first_piece_at = self._clock()
        return self.first_piece_at - self.submitted_at

    def end(self, outcome: Outcome, failure: Failure | None = None) -> float:
        """Move on to ENDED, with a failure if it did not end well; returns the seconds it took."""
        self.phase = Phase.ENDED
        self.outcome = outcome
        self.failure = failure
        self.ended_at = self._clock()
        if self.composition is not None:
            self.composition.close()
        return self.ended_at - self.submitted_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Piece that one row's text gained in a call; its `failure`, if it cannot go on."""

    request: Request
    index: int  # which of the request's texts
    piece: Piece
    failure: Failure | None = None


class Runner(Protocol):
    """Interface of a loaded checkpoint to the engine; called by the engine's thread alone."""

    @property
    def fed_together(self) -> int:
        """Count of prompts to feed in one call."""
        ...

    @property
    def scored_together(self) -> int:
        """Count of prompts to feed in one call where they are scored."""
        ...

    def feed(self, requests: Sequence[Request]) -> list[Request]:
        """Feed one chunk of each prompt, which are all scored or none of them.

        Returns those that are fed and whose texts have rows now, and those with numbers that
        are not finite.
        """
        ...

    def step(self, count: int) -> list[Stepped]:
        """Take `count` steps with every text that has a row; one that ends gives its row back."""
        ...

    def compose(self, request: Request) -> list[ComposedLine]:
        """Answer what a composition asks for; the lines that came of it."""
        ...

    def drop(self, request: Request) -> None:
        """Forget a request, wherever it stands; nothing happens if it is not known."""
        ...


class EngineObserver(Protocol):
    """Interface of the engine to its metrics; called on its thread or in its lock, so be quick.

    Every `seconds` but that of a step is counted from the request's submission.
    """

    def admitted(self, seconds: float) -> None:
        """Record that a request got its slots."""

    def prompt_fed(self, model: str, *, fed: int, cached: int) -> None:
        """Record a prompt: `fed` tokens went through the network, `cached` were known."""

    def stepped(self, model: str, *, rows: int, steps: int, tokens: int, seconds: float) -> None:
        """Record one call: `rows` texts took `steps` steps, `tokens` tokens were wanted of it."""

    def composed(self, model: str, *, lines: int, characters: int, seconds: float) -> None:
        """Record one step of a composition, which gave so many lines of so many characters."""

    def first_piece(self, model: str, seconds: float) -> None:
        """Record a request's first piece of text."""

    def ended(self, model: str, outcome: Outcome, seconds: float) -> None:
        """Record the end of a request."""
