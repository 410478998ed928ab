"""Warming of the composer: its kernels are compiled before somebody waits for a poem.

A few lines are written without a network, every letter being as likely as any. Knows nothing of
checkpoints but their voices.
"""

import contextlib

import numpy as np

from verse.composer.kernels.completion_levels import score_any
from verse.composer.network_steps import Cursor, NetworkStep
from verse.composer.poem_writing import compose
from verse.composer.voice import Voice
from verse.forms import LineSpec, PoemSpec
from verse.poem import ComposedLine, CompositionError
from verse.poem_request import PoemRequest

_RHYMED = (LineSpec(text="the night", rhyme="A"), LineSpec(syllables=3, rhyme="A"))
_UNRHYMED = (LineSpec(metre="x/x/"), LineSpec(syllables=2, end="night"))
_COUNTED = (LineSpec(characters=5),)


def warm_up(voice: Voice) -> None:
    """Compile what composes: some seconds where the machine has not done so before."""
    score_any(np.zeros(2, np.float32), np.zeros(1, np.int64))
    forms = [_COUNTED] if voice.lexicon is None else [_COUNTED, _RHYMED, _UNRHYMED]
    for lines in forms:
        request = PoemRequest(spec=PoemSpec(stanzas=(lines,)), particles=4)
        with contextlib.suppress(CompositionError):
            _write_blindly(voice, request)


def _write_blindly(voice: Voice, request: PoemRequest) -> None:
    """Write a poem by a network that knows nothing."""
    composing = compose(voice, request, 0)
    answer: object = None
    with contextlib.suppress(StopIteration):
        while True:
            asked = composing.send(answer)
            if isinstance(asked, NetworkStep):
                shape = (len(asked.ids), voice.tokenizer.vocab_size)
                answer = np.zeros(shape, np.float32)
            elif not isinstance(asked, ComposedLine):
                answer = Cursor(asked.cursor.state, asked.ids[-1])
