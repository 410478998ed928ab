"""Avoidance: a text's avoided words are seen as they come, held back, and gone round.

A token is certain once the word that it is of cannot become an avoided one; until then it is held.
When an avoided word is over (or an open one, `lov*`, has begun), the text goes back to the token
that the word began with and draws on from there with other random numbers. So the words that come
are those that the model would have written had it not chosen an avoided one. Where that has
failed ATTEMPTS times, or in a greedy text, the avoided word's first letter is banned at its place.

What happens is a function of the tokens alone, not of how many come in one call, so a text is
the same in any driver and any batch. The random numbers of the k-th drawing are those of the
seed + k * GOLDEN. Shapes: V vocabulary. Knows nothing of tensors and rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.avoided_words import (
    APOSTROPHES,
    MAX_AVOIDED_LENGTH,
    AvoidedPhrase,
    avoided_phrase,
    belongs_to_word,
    folded_character,
    is_unparted,
    is_word_character,
)
from model.decoding.sampling import GOLDEN
from model.decoding.token_marks import first_letters_of
from model.parameters import MAX_SEED, SamplingParams
from model.tokenizer import BOS_ID, EncodedPrompt, Tokenizer

ATTEMPTS = 8  # to draw another word before a letter is banned
CONTEXT = 4 * MAX_AVOIDED_LENGTH  # folded characters before a word that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Sampled token, with the log probabilities of it and of alternatives where they are wanted."""

    token_id: int
    logprobs: Sequence[float] = ()
    top_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redraw:
    """Order to draw again: from the token at `position` on, with this seed, without these ids."""

    position: int  # tokens that stay
    seed: int
    banned: frozenset[int]


@dataclass(slots=True)
class _Words:
    """Words of a text as its characters come: the last one, and what stands before it, folded."""

    before: str = ""
    word: str = ""
    start: int | None = None  # token that the word began with; None: in the prompt, or no word
    is_generated: bool = False  # a character of it is
    has_apostrophe: bool = False  # behind it, and what that is hangs on the next character
    candidates: tuple[AvoidedPhrase, ...] = ()  # that the word may yet become
    decoder: tuple[bytes, str] = (b"", "")

    def copy(self) -> "_Words":
        return _Words(
            self.before,
            self.word,
            self.start,
            self.is_generated,
            self.has_apostrophe,
            self.candidates,
            self.decoder,
        )


class Avoidance:
    """Avoided words of one text: tokens go in as they are drawn, and come out once certain.

    After `take`, `is_hit` says that an avoided word has come: what `redraw` orders is to be done,
    and only tokens that were drawn after that may be taken.
    """

    def __init__(self, tokenizer: Tokenizer, prompt: EncodedPrompt, params: SamplingParams) -> None:
        """Begin a text; `params` has its seed."""
        self.is_hit = False
        self._tokenizer = tokenizer
        self._params = params
        self._phrases = tuple(avoided_phrase(each) for each in params.avoid)
        self._decoder = tokenizer.stream_decoder()
        self._words = _Words()
        for char in self._decoder.feed(prompt.ids[1:][-CONTEXT:]):
            self._read(char, None)
        self._num_certain = 0
        self._held: list[Drawn] = []
        self._before_held = self._copied()  # words before the first token that is held
        self._num_redraws = 0
        self._last_hit = -1
        self._attempts = 0  # at that place
        self._banned: set[int] = set()  # there

    def take(self, tokens: Sequence[Drawn]) -> list[Drawn]:
        """Take drawn tokens; those that are certain now, up to the text's end or to a hit."""
        certain: list[Drawn] = []
        for token in tokens:
            position = self._num_certain + len(self._held)
            if position >= self._params.max_tokens:
                break
            before = self._copied()
            is_end = token.token_id == BOS_ID or position + 1 == self._params.max_tokens
            self._read_token(token.token_id, position, is_end=is_end)
            if self._words.start == position:
                certain += self._release_held()
                self._before_held = before
            self._held.append(token)
            if self.is_hit:
                break
            if is_end or not self._words.candidates:
                certain += self._release_held()
        return certain

    def _release_held(self) -> list[Drawn]:
        released, self._held = self._held, []
        self._num_certain += len(released)
        return released

    def redraw(self) -> Redraw:
        """Go back to where the avoided word began, and say how to draw on from there."""
        position, first = self._num_certain, self._held[0].token_id
        if position != self._last_hit:
            self._last_hit, self._attempts, self._banned = position, 0, set()
        self._attempts += 1
        self._num_redraws += 1
        if self._attempts > ATTEMPTS or self._params.temperature == 0:
            self._banned |= self._alike(first)
        self.is_hit, self._held = False, []
        self._restore(self._before_held)
        seed = self._params.seed if self._params.seed is not None else 0
        return Redraw(
            position=position,
            seed=(seed + self._num_redraws * GOLDEN) & MAX_SEED,
            banned=frozenset(self._banned),
        )

    def _alike(self, token_id: int) -> set[int]:
        """Ids that begin a word with the letter that this one does; itself where it begins none."""
        first = first_letters_of(self._tokenizer)
        if not first[token_id]:
            return {token_id}
        return {i for i, letter in enumerate(first) if letter == first[token_id]}

    def _read_token(self, token_id: int, position: int, *, is_end: bool) -> None:
        text = "" if token_id == BOS_ID else self._decoder.feed([token_id])
        for char in text:
            self._read(char, position)
            if self.is_hit:
                return
        if is_end:
            self._end_word()

    def _read(self, char: str, position: int | None) -> None:
        """Read one more character, of the token at `position`, or of the prompt."""
        words, is_generated = self._words, position is not None
        if words.word and belongs_to_word(char):
            words.word += ("'" if words.has_apostrophe else "") + folded_character(char)
            words.has_apostrophe = False
            words.is_generated |= is_generated
            self._narrow()
            return
        if words.word and not words.has_apostrophe and char in APOSTROPHES:
            words.has_apostrophe = True
            return
        self._end_word()
        if self.is_hit:
            return
        if is_word_character(char):
            words.word, words.start = folded_character(char), position
            words.is_generated = is_generated
            words.candidates = tuple(each for each in self._phrases if self._can_follow(each))
            self._narrow()
            if is_unparted(char) and not self.is_hit:
                self._end_word()
            return
        between = folded_character(char)
        if not (between == " " and words.before.endswith(" ")):
            words.before += between

    def _can_follow(self, phrase: AvoidedPhrase) -> bool:
        """Phrase that this word may end: True where its words before the last one stand before."""
        before = self._words.before
        if not phrase.before or not before.endswith(phrase.before):
            return not phrase.before
        ahead = before.removesuffix(phrase.before)
        nearest = ahead.removesuffix("'")[-1:]
        is_inside = nearest and belongs_to_word(nearest) and belongs_to_word(phrase.before[0])
        return not is_inside

    def _narrow(self) -> None:
        """Keep the phrases that the word may yet become, or has become where they are open."""
        words = self._words
        if not words.candidates:
            return
        if words.is_generated and any(
            each.is_open and words.word.startswith(each.last) for each in words.candidates
        ):
            self.is_hit = True
            return
        words.candidates = tuple(
            each
            for each in words.candidates
            if each.last.startswith(words.word)
            or (each.is_open and words.word.startswith(each.last))
        )

    def _end_word(self) -> None:
        """End the word, which may be an avoided one; the apostrophe behind it is none of it."""
        words = self._words
        if words.is_generated and any(each.last == words.word for each in words.candidates):
            self.is_hit = True
            return
        words.before = (words.before + words.word + "'" * words.has_apostrophe)[-CONTEXT:]
        words.word, words.start, words.is_generated = "", None, False
        words.has_apostrophe, words.candidates = False, ()

    def _copied(self) -> _Words:
        copied = self._words.copy()
        copied.decoder = self._decoder.state
        return copied

    def _restore(self, words: _Words) -> None:
        self._words = words.copy()
        self._decoder.state = words.decoder
