"""Tokenizer: text to token ids and back, exactly, with SentencePiece (char, unigram or bpe).

A prompt becomes ids in `Tokenizer.encode_prompt`: `<s>`, then its characters, unknown ones written
by `model.prompt_normalization` as known look-alikes.

Round trip: decode(encode(text)) == text for every text whose characters are in the vocabulary;
subword vocabularies have byte fallback, so there it holds for every text. Unknown characters of
a char vocabulary become `<unk>`, one each, and decode as U+FFFD.

Knows nothing of files: a tokenizer is built from bytes and gives bytes (`serialized`).
"""

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import sentencepiece

from model.errors import ParameterError, TokenizerError, shortened
from model.prompt_normalization import normalize_prompt

TokenizerKind = Literal["char", "unigram", "bpe"]

UNK_ID = 0
BOS_ID = 1  # `<s>`: opens a document and, when sampled, ends it
UNKNOWN, DOCUMENT_END = "<unk>", "<s>"  # how those two are shown by themselves
SPACE_PIECE = "\u2581"  # SentencePiece writes a space so
REPLACEMENT = "\ufffd"

# Characters that SentencePiece keeps for itself cannot be vocabulary symbols. Each is written
# as ESCAPE and a digit; ESCAPE is a private-use character, so ordinary text never holds it.
ESCAPE = "\U000f0000"
RESERVED = (ESCAPE, SPACE_PIECE, "\u2585", "\x00", "\x1f")
_ESCAPED = {ord(char): f"{ESCAPE}{digit}" for digit, char in enumerate(RESERVED)}
_ANY_RESERVED = re.compile("[" + "".join(RESERVED) + "]")
_ANY_ESCAPED = re.compile(f"{ESCAPE}([0-4]?)")
_NEVER_KNOWN = "\ud800"  # half a surrogate pair: in no UTF-8 text, so in no vocabulary


def escape(text: str) -> str:
    """Escape the characters that SentencePiece reserves; `unescape` undoes it."""
    return text.translate(_ESCAPED) if _ANY_RESERVED.search(text) else text


def unescape(text: str) -> str:
    """Undo `escape`; a sequence that no escape makes becomes U+FFFD."""
    return _ANY_ESCAPED.sub(_unescape_one, text) if ESCAPE in text else text


def _unescape_one(match: re.Match[str]) -> str:
    return RESERVED[int(match[1])] if match[1] else REPLACEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPrompt:
    """Prompt as token ids, with counts of its characters that the vocabulary does not have."""

    ids: list[int]  # opens with `<s>`
    num_folded: int  # characters written as a known look-alike
    num_unknown: int  # characters that became `<unk>`


class Tokenizer:
    """Trained SentencePiece vocabulary. `kind` is `char` when every token is one character."""

    def __init__(self, serialized: bytes, kind: TokenizerKind) -> None:
        """Load a vocabulary. Raises TokenizerError when it is not a SentencePiece model of ours."""
        self.serialized = serialized
        self.kind = kind
        self._processor = _load(serialized)
        pieces = _pieces_of(self._processor)
        _require_kind(self._processor, pieces, kind)
        self.piece_bytes = [_bytes_of(self._processor, i, p) for i, p in enumerate(pieces)]
        if kind == "char":
            self._symbols = frozenset(pieces)
            self._id_of_code_point = _code_point_table(pieces)
            self._escaped = _writable_escapes(pieces)

    @property
    def vocab_size(self) -> int:
        """Number of ids, `<unk>` and `<s>` included."""
        return len(self.piece_bytes)

    def encode(self, text: str) -> list[int]:
        """Encode `text` as ids, without `<s>`."""
        return self.encode_array(text).tolist()

    def encode_array(self, text: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Encode `text` as an int64 array of ids; the fast way for a corpus."""
        if self.kind != "char":
            # A lone surrogate becomes "?".
            whole = escape(text).encode("utf-8", "replace").decode()
            return np.array(self._processor.encode(whole), dtype=np.int64)
        escaped = text.translate(self._escaped) if _ANY_RESERVED.search(text) else text
        # SentencePiece would merge a run of unknown characters into one id; a table keeps
        # one id a character, which offsets and bits per character rely on.
        code_points = np.frombuffer(escaped.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        known = np.minimum(code_points, len(self._id_of_code_point) - 1)
        return self._id_of_code_point[known]

    def encode_prompt(self, prompt: str) -> EncodedPrompt:
        """Encode a prompt: `<s>` and its ids, unknown characters as look-alikes where possible.

        Only a char vocabulary needs that: subword ones write anything, byte by byte.
        """
        if self.kind != "char":
            return EncodedPrompt(ids=[BOS_ID, *self.encode(prompt)], num_folded=0, num_unknown=0)
        normalized, num_folded = normalize_prompt(prompt, self.knows)
        ids = self.encode(normalized)
        return EncodedPrompt(
            ids=[BOS_ID, *ids], num_folded=num_folded, num_unknown=ids.count(UNK_ID)
        )

    def prompt_of_ids(self, ids: Sequence[int]) -> EncodedPrompt:
        """Prompt that comes as token ids, with or without the `<s>` that opens it.

        Raises ParameterError for an id that is not there.
        """
        self.require_ids(ids, "prompt")
        opening = [] if ids and ids[0] == BOS_ID else [BOS_ID]
        return EncodedPrompt(ids=[*opening, *ids], num_folded=0, num_unknown=0)

    def require_ids(self, ids: Iterable[int], field: str) -> None:
        """Refuse an id that is not there. Raises ParameterError, which names `field`."""
        for token_id in ids:
            if not 0 <= token_id < self.vocab_size:
                there = f"the ids of this model are 0 to {self.vocab_size - 1}"
                raise ParameterError(field, f"{there}, got {shortened(token_id)}")

    def knows(self, char: str) -> bool:
        """True for a character `char` that the vocabulary can write without `<unk>`."""
        return UNK_ID not in self.encode(char)

    def knows_symbol(self, symbol: str) -> bool:
        """Symbol of a char vocabulary: True where it has this character that `escape` writes."""
        return symbol.replace(" ", SPACE_PIECE) in self._symbols

    def token_text(self, token_id: int) -> str:
        """Text that one token is shown as by itself: `<s>`, `<unk>`, or its own."""
        if token_id in (UNK_ID, BOS_ID):
            return UNKNOWN if token_id == UNK_ID else DOCUMENT_END
        return unescape(self.piece_bytes[token_id].decode("utf-8", "replace"))

    @cached_property
    def token_texts(self) -> list[str]:
        """Text of every token by itself; empty for `<s>`, U+FFFD for a part of a character."""
        return [unescape(piece.decode("utf-8", "replace")) for piece in self.piece_bytes]

    def decode(self, ids: Iterable[int]) -> str:
        """Decode ids to text; `<s>` writes nothing, `<unk>` and broken bytes write U+FFFD."""
        stream = self.stream_decoder()
        return stream.feed(ids) + stream.finish()

    def stream_decoder(self) -> "StreamDecoder":
        """New incremental decoder, fed ids as they come; never gives half a character."""
        return StreamDecoder(self.piece_bytes)


class StreamDecoder:
    """Incremental decoder, ids to whole characters; half a character waits for the next id."""

    def __init__(self, piece_bytes: list[bytes]) -> None:
        self._piece_bytes = piece_bytes
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, ids: Iterable[int]) -> str:
        """Take ids, give the text that they complete, possibly empty."""
        return self._release(self._utf8.decode(b"".join([self._piece_bytes[i] for i in ids])))

    @property
    def num_held(self) -> int:
        """Number of characters that `finish` would give."""
        return len(self._held) + len(self._utf8.getstate()[0].decode("utf-8", "replace"))

    @property
    def state(self) -> tuple[bytes, str]:
        """State of the decoder, what it holds, to go back to; setting it takes it back there."""
        return self._utf8.getstate()[0], self._held

    @state.setter
    def state(self, state: tuple[bytes, str]) -> None:
        self._utf8.setstate((state[0], 0))
        self._held = state[1]

    def finish(self) -> str:
        """Give the text still held; half a character comes out as U+FFFD."""
        rest = self._release(self._utf8.decode(b"", final=True))
        dangling, self._held = self._held, ""
        return rest + (REPLACEMENT if dangling else "")

    def _release(self, text: str) -> str:
        text = self._held + text
        is_open = text.endswith(ESCAPE)  # the pair's other half is still to come
        self._held = ESCAPE if is_open else ""
        return unescape(text[:-1] if is_open else text)


def _load(serialized: bytes) -> sentencepiece.SentencePieceProcessor:
    try:
        processor = sentencepiece.SentencePieceProcessor(model_proto=serialized)
    except (RuntimeError, ValueError) as error:  # the latter where its message is not UTF-8
        raise TokenizerError("tokenizer.model is not a SentencePiece model") from error
    if processor.unk_id() != UNK_ID or processor.bos_id() != BOS_ID:
        raise TokenizerError(f"the tokenizer must have <unk> at {UNK_ID} and <s> at {BOS_ID}")
    return processor


def _pieces_of(processor: sentencepiece.SentencePieceProcessor) -> list[str]:
    try:
        return [processor.id_to_piece(i) for i in range(processor.vocab_size())]
    except ValueError as error:
        raise TokenizerError("tokenizer.model holds a piece that is not UTF-8") from error


def _require_kind(
    processor: sentencepiece.SentencePieceProcessor, pieces: Sequence[str], kind: TokenizerKind
) -> None:
    has_bytes = any(processor.is_byte(i) for i in range(len(pieces)))
    is_char = all(len(p) == 1 for i, p in enumerate(pieces) if i not in (UNK_ID, BOS_ID))
    if has_bytes != (kind != "char") or is_char != (kind == "char"):
        raise TokenizerError(f"tokenizer.model is not a vocabulary of the kind {kind}")


def _bytes_of(processor: sentencepiece.SentencePieceProcessor, token_id: int, piece: str) -> bytes:
    if token_id == UNK_ID:
        return REPLACEMENT.encode()
    if processor.is_control(token_id):
        return b""
    if processor.is_byte(token_id):
        return bytes([int(piece[3:5], 16)])  # "<0x0A>"
    return piece.replace(SPACE_PIECE, " ").encode()


def _code_point_table(pieces: list[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    id_of = {
        piece.replace(SPACE_PIECE, " "): i for i, piece in enumerate(pieces) if len(piece) == 1
    }
    # One entry past the highest known code point stands for all the rest, as `<unk>`.
    table = np.full(max(map(ord, id_of), default=0) + 2, UNK_ID, dtype=np.int64)
    for char, token_id in id_of.items():
        table[ord(char)] = token_id
    return table


def _writable_escapes(pieces: Sequence[str]) -> dict[int, str]:
    """Escape pair of each reserved character, where the vocabulary has both halves of it."""
    known = set(pieces)
    return {
        code_point: pair if known.issuperset(pair) else _NEVER_KNOWN
        for code_point, pair in _ESCAPED.items()
    }
