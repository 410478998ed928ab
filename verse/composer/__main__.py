"""Compiling all kernels of the composer ahead, into their folder: `python -m verse.composer`.

For installers and images, so that the first poem comes as soon as any. The short words of the
dictionary do for all, as any network does for `python -m model.decoding`.
"""

import torch

from model.tokenizer import BOS_ID
from model.tokenizer_training import train_tokenizer
from model.word_list import pack
from verse.composer.lexicon import Lexicon
from verse.composer.network_steps import Cursor
from verse.composer.voice import Voice
from verse.composer.warming import warm_up
from verse.prosody.dictionary import dictionary_words

MAX_LETTERS = 5


def main() -> None:
    """Compile all kernels that are not in their folder yet, by using each of them once."""
    words = [word for word in dictionary_words() if word.isalpha() and len(word) <= MAX_LETTERS]
    counts = [100] * len(words)
    word_list = pack(words, [counts, counts, [0] * len(words)], [])
    tokenizer = train_tokenizer(["abcdefghijklmnopqrstuvwxyz ,;:.!?'\n"])
    warm_up(
        Voice(
            tokenizer=tokenizer,
            lexicon=Lexicon(tokenizer, word_list),
            why_no_lexicon="",
            word_list=word_list,
            copy_index=None,
            opening=Cursor([torch.zeros(1, 1)], BOS_ID),
        )
    )


if __name__ == "__main__":
    main()
