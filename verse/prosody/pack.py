"""Packer of CMUdict: `python -m verse.prosody.pack cmudict.dict FOLDER` writes the packed file.

One line a word: spelling, tab, its readings with a character a phoneme, parted by spaces. The
notice at the source's head is written beside it as LICENSE. The same source gives the same text;
only the compression's bytes may be those of another version of xz.
"""

import argparse
import lzma
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from verse.prosody.dictionary import FILE
from verse.prosody.phonemes import packed

_VARIANT = re.compile(r"\(\d+\)$")


def packed_text(lines: Iterable[str]) -> str:
    """Packed form of CMUdict's lines; comments go, a reading listed twice stands once.

    Raises ValueError with the number of a line that is not `word PHONEME ...`.
    """
    words: dict[str, dict[str, None]] = {}
    for number, line in enumerate(lines, 1):
        word, *phonemes = line.partition("#")[0].split() or [""]
        if not word:
            continue
        try:
            code = packed(tuple(phonemes))
        except KeyError as error:
            raise ValueError(f"line {number}: {error.args[0]!r} is no ARPAbet phoneme") from None
        words.setdefault(_VARIANT.sub("", word), {})[code] = None
    return "\n".join(f"{word}\t{' '.join(words[word])}" for word in sorted(words))


def notice(lines: Iterable[str]) -> str:
    """Licence notice: the comment lines before the first entry, without their marks."""
    kept = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        kept.append(line.removeprefix("#").removeprefix(" ").rstrip())
    return "\n".join(kept).strip() + "\n"


def main() -> int:
    """Write the packed dictionary and its notice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="CMUdict's own cmudict.dict")
    parser.add_argument("folder", type=Path, help="where the two files go")
    args = parser.parse_args()
    lines = args.source.read_text(encoding="utf-8").splitlines()
    raw = packed_text(lines).encode("ascii")
    packed_bytes = lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)
    (args.folder / FILE).write_bytes(packed_bytes)
    (args.folder / "LICENSE").write_text(notice(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
