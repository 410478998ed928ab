"""Guess of a text's language: its script, and for Latin and Cyrillic its commonest short words.

A guess for the eye, from a sample; a text in several languages shows as the commonest of them.
Knows nothing of files.
"""

import re
import unicodedata
from collections import Counter

SAMPLE = 200_000  # characters
_FEWEST_WORDS = 0.1  # of all words: fewer of a language's own are chance
_SCRIPTS = {
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CJK": "Chinese",
    "GREEK": "Greek",
    "HEBREW": "Hebrew",
    "ARABIC": "Arabic or Persian",
    "DEVANAGARI": "Hindi or another language in Devanagari",
    "THAI": "Thai",
    "GEORGIAN": "Georgian",
    "ARMENIAN": "Armenian",
}
_WORDS = {
    "English": "the and of to in that with his my is for thou she from but not all their which",
    "German": "der die und das nicht ich ein ist mit sich dem auf den von wie es zu im noch",
    "French": "le la les et des est dans que qui une pas pour ne sur je il vous au ce du",
    "Spanish": "el la los y de que en una por con las del se su no al es como más mi",
    "Italian": "il la di che e non per un del si con le mi gli una della nel ma io ch",
    "Portuguese": "o que e não de uma os da em do com as na no meu se mais ao eu dos",
    "Dutch": "de het een en van niet dat ik is zijn met op te voor aan maar hij er naar",
    "Swedish": "och att det som en är jag på inte i till den med för av ett han men om",
    "Danish or Norwegian": "og det er ikke jeg til på af en som med den de at for han har der sig",
    "Finnish": "ja on ei se en kun niin hän mutta oli kuin minä mi sen jo ne nyt vain joka",
    "Polish": "i w na nie się z że to do jak ale po za od tak już jest mi ja",
    "Czech": "a v na se je že to ne si s jak ale do tak po jsem za už by",
    "Hungarian": "a az és nem hogy egy is de ha mint van csak én már meg el s ki még",
    "Latin": "et in est non ad cum ut quod qui sed per si te aut nec ab ex hoc iam",
    "Russian": "и в не на я что с как но он то а из по за от мне ты так",
    "Ukrainian": "і в не на я що з як та він але то по за від мені ти це й",
    "Bulgarian": "и в не на аз че с като но той да се от по за ми ти е си",
}
_SETS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")


def guessed_language(text: str) -> str | None:
    """Guess the language of a text from its beginning; None where nothing shows it."""
    sample = text[:SAMPLE]
    scripts = Counter(
        unicodedata.name(char, " ").split()[0].split("-")[0]
        for char in sample[:: max(1, len(sample) // 5000)]
        if char.isalpha()
    )
    if not scripts:
        return None
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * scripts.total():
        return "Japanese"
    script, count = scripts.most_common(1)[0]
    if script not in {"LATIN", "CYRILLIC"}:
        named = _SCRIPTS.get(script, f"a language in {script.capitalize()} letters")
        return named if count > scripts.total() / 2 else None
    words = Counter(_WORD.findall(sample.casefold()))
    shares = {
        language: sum(words[word] for word in own) / words.total()
        for language, own in _SETS.items()
    }
    language = max(shares, key=lambda name: shares[name])
    return language if shares[language] > _FEWEST_WORDS else None
