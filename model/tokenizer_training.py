"""Tokenizer training: a char, unigram or bpe vocabulary is learned from texts by SentencePiece.

Knows nothing of files and of what texts become.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import sentencepiece

from model.errors import TokenizerError
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer, TokenizerKind, escape

# How SentencePiece says which size of a vocabulary it could train.
_AT_MOST = re.compile(r"Vocabulary size too high .* a value <= (\d+)")
_AT_LEAST = re.compile(r"Vocabulary size is smaller than required_chars\. \d+ vs (\d+)")


def train_tokenizer(
    texts: Iterable[str], *, kind: TokenizerKind = "char", vocab_size: int = 1024
) -> Tokenizer:
    """Train a vocabulary on `texts`; a subword one holds them in memory meanwhile.

    A char vocabulary takes every character of `texts` and ignores `vocab_size`; whoever wants
    fewer characters leaves the rare ones out (`training.data.vocabulary` does, within bounded
    memory). Raises TokenizerError when the texts are too small for `vocab_size`.
    """
    sentences: Iterable[str]
    options: dict[str, Any]
    if kind == "char":
        sentences = _counted_characters(texts)
        options = {"vocab_size": 2_000_000, "hard_vocab_limit": False, "input_format": "tsv"}
    else:
        sentences = [escape(text) for text in texts if text]
        options = {"vocab_size": vocab_size, "byte_fallback": True}
    if not sentences:
        raise TokenizerError("no vocabulary can be learned from an empty text")
    buffer = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=buffer,
            model_type=kind,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            user_defined_symbols=["\n", "\t"],
            unk_id=UNK_ID,
            bos_id=BOS_ID,
            eos_id=-1,
            pad_id=-1,
            max_sentence_length=1 << 30,
            num_threads=1,  # the same vocabulary on every machine
            minloglevel=4,
            **options,
        )
    except RuntimeError as error:
        raise _refused(kind, vocab_size, str(error)) from error
    return Tokenizer(buffer.getvalue(), kind)


def _refused(kind: TokenizerKind, vocab_size: int, reason: str) -> TokenizerError:
    """Error for a vocabulary that SentencePiece refuses to train, with the size it would take."""
    whole = f"no {kind} vocabulary of {vocab_size:,} tokens can be learned from this text"
    if (most := _AT_MOST.search(reason)) is not None:
        return TokenizerError(f"{whole}: it is enough for {int(most[1]):,} at most")
    if (least := _AT_LEAST.search(reason)) is not None:
        return TokenizerError(f"{whole}: its characters alone need {int(least[1]):,}")
    return TokenizerError(f"{whole} ({reason.strip().splitlines()[-1]})")


def _counted_characters(texts: Iterable[str]) -> list[str]:
    """Count the characters of `texts`: a line of tab-separated values for each.

    Whole texts would lose a carriage return at their end and the letters of a literal `<s>`.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(escape(text))
    return [f"{char}\t{count}" for char, count in counts.items() if char not in "\n\t"]
