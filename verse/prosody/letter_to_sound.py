"""Guess of an unknown word's sound from its letters, by common rules of English spelling.

Right in most syllable counts and many rhymes, and never more than a guess. Where the stress falls
follows the ending and the number of syllables.
"""

import re
from collections.abc import Iterator
from functools import cache

from verse.prosody.phonemes import VOWELS
from verse.prosody.word_endings import Phonemes, ending_readings

# Letters, what must follow (a pattern, - for anything), sounds. The first row that fits is taken,
# so longer letters stand first. Vowels get their stress afterwards.
_TABLE = """
ssion - SH AH N
tion - SH AH N
sion - ZH AH N
ion s?$ Y AH N
cious - SH AH S
tious - SH AH S
geous - JH AH S
gious - JH AH S
cian - SH AH N
tial - SH AH L
cial - SH AH L
ture $ CH ER
eous - IY AH S
ious - IY AH S
ous $ AH S
aught - AO T
ought - AO T
ough - OW
augh - AO
aigh - EY
eigh - EY
igh - AY
eau - OW
eer - IH R
ear [nlt]h? ER
ear - IH R
air - EH R
oor - AO R
oar - AO R
our - AO R
eir - EH R
ier $ IY ER
are $ EH R
ere $ IH R
ire $ AY R
yre $ AY R
ore $ AO R
ure $ Y UH R
war [^aeiouy]|$ W AO R
wor [^aeiouy] W ER
arr - EH R
err - EH R
irr - IH R
orr - AO R
urr - ER
ar [^aeiouy]|$ AA R
er - ER
ir [^aeiouy]|$ ER
or [^aeiouy]|$ AO R
ur [^aeiouy]|$ ER
yr [^aeiouy]|$ ER
ing $ IH NG
ng [^aeiouy]|$ NG
ng - NG G
nk - NG K
sch - SH
tch - CH
dge - JH
ch [rl] K
ch - CH
sh - SH
ph - F
th - TH
wh - W
gh - G
ck - K
sc [eiy] S
qu - K W
gn $ N
mb $ M
gu [eiy] G
ey $ IY
ei - EY
ey - EY
ai - EY
ay - EY
au - AO
aw - AO
ea - IY
ee - IY
eu - UW
ew - UW
ia $ IY AH
ie [ds]?$ IY
ie [^ntr] IY
oa - OW
oe - OW
oi - OY
oy - OY
ook - UH K
oo - UW
ow $ OW
ou - AW
ow - AW
ue s?$ UW
ui - UW
ae - IY
all - AO L
alk - AO K
ald - AO L D
ind $ AY N D
ild $ AY L D
old - OW L D
ale s?$ EY L
elle s?$ EH L
ile s?$ AY L
ole s?$ OW L
ule s?$ UW L
le s?$ AH L
a [^aeiouwxy](e|es|ed)$ EY
a $ AH
a - AE
e [^aeiouwxy](e|es)$ IY
e [aiou] IY
e d$ -
e s?$ -
e - EH
i [^aeiouwxy](e|es|ed)$ AY
i [aou] IY
i $ IY
i - IH
o [^aeiouwxy](e|es|ed)$ OW
o $ OW
o - AA
u [^aeiouwxy](e|es|ed)$ UW
u $ UW
u - AH
y $ IY
y [^aeiouwxy](e|es|ed)$ AY
y [aeiou] Y
y - IH
c [eiy] S
c - K
g [eiy] JH
g - G
x - K S
q - K
j - JH
h - HH
"""
_FIRST = {"kn": "n", "wr": "r", "gn": "n", "ps": "s", "pt": "t", "x": "z", "mn": "n"}
_WEAK_HEADS = (
    *("ab", "ac", "ad", "af", "al", "ap", "as", "at", "be", "com", "con", "de", "dis"),
    *("em", "en", "ex", "for", "im", "in", "mis", "per", "pre", "pro", "re", "sur", "trans", "un"),
)
# Endings by which the stress is placed, counted in syllables from the end.
_STRESSED_BEFORE = tuple(
    (re.compile(pattern), from_end)
    for pattern, from_end in (
        (r"(ee|eer|esque|ette|oon|aire)s?$", 1),
        (r"(ion|ic|ics)s?$", 2),
        (r"[aeiou][^aeiouy]o?(ity|ical|ia|ian|ial|ious|eous|ual|uous|logy|graphy|itude)s?$", 3),
        (r"(ent|ence|ant|ance|ous|ate)s?$", 3),
        (r"[aeiou]$", 2),
    )
)


@cache
def _rules() -> dict[str, list[tuple[str, re.Pattern[str], Phonemes]]]:
    """Rules by their first letter, in the table's order."""
    found: dict[str, list[tuple[str, re.Pattern[str], Phonemes]]] = {}
    for row in _TABLE.strip().splitlines():
        letters, follows, *sounds = row.split()
        pattern = re.compile("" if follows == "-" else follows)
        said = () if sounds == ["-"] else tuple(sounds)
        found.setdefault(letters[0], []).append((letters, pattern, said))
    return found


def guessed_phonemes(word: str) -> Phonemes:
    """Phonemes of a word by its letters; empty where it has no vowel or a strange letter.

    An ending is taken off and joined again by rule, so that its e is no syllable by mistake.
    """
    inflected = ending_readings(word, _guessed_stem)
    return inflected[0] if inflected else _by_letters(word)


def _guessed_stem(stem: str) -> tuple[Phonemes, ...]:
    """A guess of a stem, but of none that lacks the e of its spelling: `mangl`, `acr`."""
    if len(stem) < 3 or re.search("[^aeiouylr][lr]$", stem):
        return ()
    guess = _by_letters(stem)
    return (guess,) if guess else ()


def _by_letters(word: str) -> Phonemes:
    letters = word.replace("'", "").replace("-", "")
    if not re.fullmatch("[a-z]{2,}", letters) or not re.search("[aeiouy]", letters):
        return ()
    for cluster, instead in _FIRST.items():
        if letters.startswith(cluster):
            letters = instead + letters.removeprefix(cluster)
    sounds = tuple(_sounds(letters))
    vowels = [i for i, sound in enumerate(sounds) if sound in VOWELS]
    if not vowels:
        return ()
    stressed = vowels[_stressed_syllable(word, len(vowels))]
    return tuple(_with_stress(sound, i == stressed) for i, sound in enumerate(sounds))


def _with_stress(sound: str, is_stressed: bool) -> str:
    if sound not in VOWELS:
        return sound
    if is_stressed:
        return f"{sound}1"
    return "AH0" if sound in {"AE", "EH", "AA", "IH"} else f"{sound}0"


def _sounds(letters: str) -> Iterator[str]:
    i = 0
    while i < len(letters):
        for spelled, follows, said in _rules().get(letters[i], ()):
            rest = i + len(spelled)
            if letters.startswith(spelled, i) and follows.match(letters, rest):
                yield from said
                i = rest
                break
        else:
            if letters[i - 1 : i] != letters[i]:  # a doubled consonant is said once
                yield letters[i].upper()
            i += 1


def _stressed_syllable(word: str, num_syllables: int) -> int:
    if num_syllables <= 1:
        return 0
    for ending, from_end in _STRESSED_BEFORE:
        if ending.search(word):
            return max(0, num_syllables - from_end)
    if num_syllables == 2:
        return 1 if word.startswith(_WEAK_HEADS) else 0
    weak_head = 1 if word.startswith(_WEAK_HEADS) else 0
    return max(weak_head, num_syllables - 3)
