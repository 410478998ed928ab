"""Own list of words that verse writes or says otherwise than CMUdict: contractions, archaic forms.

`verse_words.txt` has a line a word: spelling, tab, readings parted by |, the usual first. Where
CMUdict has a reading too, it keeps its label; one that is not here comes after these. What follows
by rule stands in `old_spellings` and `verse_variants`.
"""

from functools import cache
from importlib import resources

from verse.prosody.word_endings import Phonemes


@cache
def verse_words() -> dict[str, tuple[Phonemes, ...]]:
    """Readings of each word of the list, as phonemes."""
    text = (resources.files("verse.prosody") / "verse_words.txt").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {word: tuple(tuple(each.split()) for each in said.split("|")) for word, said in rows}
