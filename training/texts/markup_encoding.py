"""Encoding of HTML and XML: what the file says of it, where that is true, else found by its bytes.

Knows nothing of elements.
"""

import io
import re
from collections.abc import Sequence

from training.texts.text_encoding import CODECS, decoded

_DECLARED = re.compile(
    rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)|<meta[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
LOOKED_AT = 4096  # bytes
# As browsers read them: what is declared is often the smaller set.
_READ_AS = {
    **CODECS,
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
    "x-mac-roman": "mac-roman",
}


def decoded_markup(raw: bytes, encodings: Sequence[str]) -> tuple[str, str]:
    """Decode the bytes of a file of markup: the name of the encoding, and the text.

    Valid UTF-8 is UTF-8, whatever it says. Raises RefusedTextError where none can be told.
    """
    declared = _declared(raw)
    if not encodings and declared is not None and not _is_utf8(raw):
        try:
            return declared, raw.decode(_READ_AS.get(declared, declared))
        except (UnicodeDecodeError, LookupError):
            pass  # it says what is not so
    name, pieces = decoded(io.BytesIO(raw), encodings)
    return name, "".join(pieces)


def _declared(raw: bytes) -> str | None:
    match = _DECLARED.search(raw[:LOOKED_AT])
    if match is None or b"\x00" in raw[:4]:
        return None
    name = (match[1] or match[2]).decode("ascii").lower()
    return None if name.startswith(("utf-16", "utf-32", "ucs")) else name  # they have a mark


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
