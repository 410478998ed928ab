"""Detection of UTF-16 and UTF-32 without a byte order mark, by the characters they would give.

Knows nothing of files.
"""

import unicodedata

from training.texts.letter_frequencies import HANGUL, HANZI

_ENCODINGS = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_SPACES = "\t\n\r\f \u3000"
MAX_ODD_SHARE = 0.01  # of characters that no text has
MIN_KNOWN_SHARE = 0.3  # of letters of alphabets, and of the commonest of the others


def wide_encoding(head: bytes) -> str | None:
    """Find the encoding of the beginning of a text whose characters are two or four bytes each.

    None where it holds no NUL byte, which every line end in such a text has, or reads as none.
    """
    if b"\x00" not in head:
        return None
    return next((name for name in _ENCODINGS if _reads_as_text(head, name)), None)


def _reads_as_text(head: bytes, encoding: str) -> bool:
    whole = len(head) - len(head) % 4
    try:
        text = head[: whole or len(head)].decode(encoding)
    except UnicodeDecodeError as error:
        # Two surrogates may be cut apart at the end.
        if error.start < len(head) - 4 or error.start == 0:
            return False
        text = head[: error.start].decode(encoding)
    odd = sum(_is_odd(char) for char in text)
    known = sum(_is_known(char) for char in text)
    return odd <= MAX_ODD_SHARE * len(text) and known >= MIN_KNOWN_SHARE * len(text)


def _is_odd(char: str) -> bool:
    return unicodedata.category(char) in ("Cn", "Co", "Cs", "Cc") and char not in _SPACES


def _is_known(char: str) -> bool:
    """Check for a letter of an alphabet or a common character; most wrong ones are rare ones."""
    return (
        "\x20" <= char < "\u1000"
        or char in _SPACES
        or "\u3041" <= char <= "\u30ff"
        or char in HANZI
        or char in HANGUL
        or char in "。、，！？「」《》"
        # Two letters of ASCII, and one read the wrong way round, are characters as well, but none
        # whose second half is such a byte.
        or ("\u4e00" <= char <= "\u9fff" and ord(char) & 0xFF > 0x7E)
    )
