"""Tokenizer widening: new characters behind those of a char vocabulary, whose ids stay as they are.

A SentencePiece model is a protobuf message whose pieces are a repeated field, and fields of one
number may stand anywhere: so new pieces are written behind the whole file, and the old vocabulary
is the beginning of the new one, byte by byte.
"""

import struct
from collections.abc import Iterable

from model.tokenizer import Tokenizer, escape

# Keys of protobuf fields: ModelProto.pieces, SentencePiece.piece and .score.
_PIECES, _PIECE, _SCORE = 0x0A, 0x0A, 0x15
SCORE = -100.0  # says nothing: a character of a char vocabulary is split no other way


def widened_tokenizer(tokenizer: Tokenizer, characters: Iterable[str]) -> Tokenizer:
    """Tokenizer with those of `characters` added that a char vocabulary does not have, in order.

    The same one where there is none, and for subword vocabularies, which write every character.
    """
    if tokenizer.kind != "char":
        return tokenizer
    symbols = dict.fromkeys(
        symbol for char in characters if not tokenizer.knows(char) for symbol in escape(char)
    )
    new = [symbol for symbol in symbols if not tokenizer.knows_symbol(symbol)]
    if not new:
        return tokenizer
    return Tokenizer(tokenizer.serialized + b"".join(map(_piece, new)), tokenizer.kind)


def _piece(symbol: str) -> bytes:
    text = symbol.encode()
    content = bytes([_PIECE, len(text)]) + text + bytes([_SCORE]) + struct.pack("<f", SCORE)
    return bytes([_PIECES, len(content)]) + content


def is_widened(wide: Tokenizer, narrow: Tokenizer) -> bool:
    """Check whether a tokenizer `wide` is `narrow`, or that with more characters behind it."""
    return wide.kind == narrow.kind and wide.serialized.startswith(narrow.serialized)
