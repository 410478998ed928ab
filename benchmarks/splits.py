"""Write the splits that published figures were measured on, so that ours can stand beside them.

    python benchmarks/splits.py stripes input.txt FOLDER
    python benchmarks/splits.py 80-10-10 warpeace_input.txt.xz FOLDER

stripes: char-rnn's. The text is cut into 50 stripes and the last 5 % of each validates, so that
validation text lies between training texts; never in one column with a split at one place.
80-10-10: first 80 % train, next 10 % valid, last 10 % test, as Karpathy, Johnson & Fei-Fei 2015.
Files are read as training reads them: decoded, without invisible characters, CRLF as LF.
"""

import argparse
from pathlib import Path

from training.data.corpus_options import CorpusOptions
from training.data.document_reader import read_texts

STRIPES = 50


def main() -> None:
    """Split a text and say how long the parts are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["stripes", "80-10-10"])
    parser.add_argument("text", help="file")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    text = "".join(read_texts([args.text], CorpusOptions(split="contiguous")))
    parts = stripes(text) if args.kind == "stripes" else three_parts(text)
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        (args.folder / f"{name}.txt").write_text(part, encoding="utf-8")
        print(f"{name}: {len(part):,} characters")


def stripes(text: str) -> dict[str, str]:
    """char-rnn's train and valid."""
    length = len(text) // STRIPES
    pieces = [text[start : start + length] for start in range(0, STRIPES * length, length)]
    border = round(0.95 * length)
    return {
        "train": "".join(piece[:border] for piece in pieces),
        "valid": "".join(piece[border:] for piece in pieces),
    }


def three_parts(text: str) -> dict[str, str]:
    """Train, valid and test, one after the other."""
    first, second = round(0.8 * len(text)), round(0.9 * len(text))
    return {"train": text[:first], "valid": text[first:second], "test": text[second:]}


if __name__ == "__main__":
    main()
