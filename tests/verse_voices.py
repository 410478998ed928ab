"""Poets for tests: untrained networks that know the anthology's words, and what they write.

An untrained network writes noise of real words: whether a line keeps its form is not its affair.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from model.checkpoint import LoadedCheckpoint
from model.decoding.decoder import Decoder, decoder_of
from model.parameters import BackendName
from model.word_list import WordList, pack
from verse.composer.voice import Voice, voice_of
from verse.composing import report_of, write_poem
from verse.forms import PoemSpec
from verse.poem import Poem
from verse.poem_request import PoemRequest
from verse.report import Report

OFTEN = 60  # occurrences that every word is said to have: enough to be written and to rhyme
# The first is the subject, of which the others are the associates.
NEAR = ("sea", "wave", "ship", "shore", "sail", "tide", "deep", "foam", "boat", "shell")
NEAREST = 12  # half bits
MORE = ("thou", "hath", "o'er", "orange", "month", "heav'n", "xerxes", "loveth", "i've")


def anthology_words(anthology: str) -> WordList:
    """Words of the anthology and some more, all equally frequent."""
    found = re.findall("[a-z]+(?:'[a-z]+)?", anthology.lower())
    words = list(dict.fromkeys((*NEAR, *MORE, *found)))
    counts = [OFTEN] * len(words)
    near = [(place, NEAREST) for place in range(1, len(NEAR))]
    return pack(words, [counts, counts, [0] * len(words)], [near, *[[] for _ in NEAR[1:]]])


@dataclass(frozen=True, kw_only=True)
class Poet:
    """A checkpoint that composes."""

    loaded: LoadedCheckpoint
    decoder: Decoder
    voice: Voice

    def request(self, *lines: dict[str, Any], **fields: Any) -> PoemRequest:
        """Request of a poem of these lines, or with a form by name; few particles and seed 0."""
        form = {} if "form" in fields or "spec" in fields else {"spec": {"stanzas": [lines]}}
        return PoemRequest.checked(**{"seed": 0, "particles": 8, **form, **fields})

    def write(self, *lines: dict[str, Any], **fields: Any) -> Poem:
        """Write a poem; see `request`."""
        return write_poem(self.decoder, self.voice, self.request(*lines, **fields))

    def report(self, *lines: dict[str, Any], **fields: Any) -> Report:
        """Write a poem and report on it."""
        request = self.request(*lines, **fields)
        return report_of(write_poem(self.decoder, self.voice, request), request.poem_spec())


def poet(loaded: LoadedCheckpoint, words: WordList | None, backend: BackendName = "int8") -> Poet:
    """Poet of a checkpoint with other words."""
    with_words = replace(loaded, word_list=words)
    decoder = decoder_of(with_words.network, backend)
    return Poet(loaded=with_words, decoder=decoder, voice=voice_of(with_words, decoder))


def stanza(spec: PoemSpec) -> list[dict[str, Any]]:
    """Lines of a form as JSON has them."""
    return [line.model_dump(mode="json", exclude_none=True) for line in spec.lines]
