"""Voice: a checkpoint as composers use it - its words, its blank state and its letters.

Made once a checkpoint; poems only read it. Knows nothing of forms.
"""

from dataclasses import dataclass

from model.checkpoint import Checkpoint
from model.copies.copy_index import CopyIndex
from model.decoding.decoder import Decoder
from model.tokenizer import BOS_ID, Tokenizer
from model.word_list import WordList
from verse.composer.lexicon import Lexicon, NotEnglishError
from verse.composer.network_steps import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A checkpoint's vocabulary and, where its language is known here, its words."""

    tokenizer: Tokenizer
    lexicon: Lexicon | None
    why_no_lexicon: str  # empty where it has one
    word_list: WordList | None
    copy_index: CopyIndex | None
    opening: Cursor  # before any text


def voice_of(checkpoint: Checkpoint, decoder: Decoder) -> Voice:
    """Voice of a checkpoint that is bound to `decoder`."""
    lexicon, why = None, ""
    try:
        lexicon = Lexicon(checkpoint.tokenizer, checkpoint.word_list)
    except NotEnglishError as error:
        why = str(error)
    return Voice(
        tokenizer=checkpoint.tokenizer,
        lexicon=lexicon,
        why_no_lexicon=why,
        word_list=checkpoint.word_list,
        copy_index=checkpoint.copy_index,
        opening=Cursor(decoder.zero_state(1), BOS_ID),
    )
