"""Unknown characters: those of a text that a vocabulary does not have, and how many are too many.

Each becomes `<unk>`. A network that reads little else learns nothing of the text, and its loss
looks all the better for it. Knows nothing of files and runs.
"""

from collections.abc import Mapping

from model.tokenizer import Tokenizer
from training.data.vocabulary import CharacterCounts
from training.training_errors import CorpusError

WARNED_SHARE, REFUSED_SHARE = 0.01, 0.3  # of a text's characters
MOST_KEPT, MOST_SHOWN = 20, 5


def commonest_unknown(counts: CharacterCounts, tokenizer: Tokenizer) -> dict[str, int]:
    """Find the commonest characters that `tokenizer` does not know, and how often each is there.

    None for a subword vocabulary, which writes anything byte by byte.
    """
    if tokenizer.kind != "char":
        return {}
    unknown: dict[str, int] = {}
    for char, count in counts.by_frequency():
        if not tokenizer.knows(char):
            unknown[char] = count
            if len(unknown) == MOST_KEPT:
                break
    return unknown


def unknown_in_words(unknown: Mapping[str, int]) -> str:
    """Format unknown characters and their counts for people: `'é' U+00E9 (12)`."""
    shown = list(unknown.items())[:MOST_SHOWN]
    return ", ".join(f"{char!r} U+{ord(char):04X} ({count:,})" for char, count in shown)


def share_in_words(share: float, unknown: Mapping[str, int], place: str) -> str:
    """Format the share of unknown characters in a text, and which are the commonest.

    `place` names the text: "to train on".
    """
    which = f": {unknown_in_words(unknown)}" if unknown else ""
    return f"{100 * share:.3g} % of the characters {place} are not in the vocabulary{which}"


def require_known(share: float, unknown: Mapping[str, int], place: str, advice: str) -> None:
    """Refuse a text with more unknown characters than REFUSED_SHARE. Raises CorpusError.

    `advice` says what would be right.
    """
    if share > REFUSED_SHARE:
        raise CorpusError(f"{share_in_words(share, unknown, place)}; {advice}")
