"""ARPAbet phonemes of CMUdict, one character each when packed, and which of them begin a syllable.

Vowels carry a stress digit: 1 primary, 2 secondary, 0 none. Knows nothing of words.
"""

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N"),
    *("NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH"),
)
SYMBOLS = (*(vowel + stress for vowel in VOWELS for stress in "012"), *CONSONANTS)
# Printable and no space, which parts readings; one byte each in UTF-8.
CODES = dict(zip(SYMBOLS, map(chr, range(33, 33 + len(SYMBOLS))), strict=True))
PHONEMES = {code: symbol for symbol, code in CODES.items()}
SIBILANTS = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
VOICELESS = frozenset({"P", "T", "K", "F", "TH", "S", "SH", "CH", "HH"})

# Consonants that begin an English syllable together.
_ONSET_LIST = """
PL PR BL BR TR TW DR DW KL KR KW GL GR GW FL FR THR THW SHR SP ST SK SM SN SL SW SF SPL SPR STR SKR
SKW SKL PY BY KY GY FY VY MY HHY SPY SKY HHW NY LY TY DY
"""
_ONSETS = frozenset(_ONSET_LIST.split())


def is_vowel(phoneme: str) -> bool:
    """Check whether a phoneme is the heart of a syllable: vowels alone carry a digit."""
    return phoneme[-1] in "012"


def packed(phonemes: tuple[str, ...]) -> str:
    """Phonemes as one character each; KeyError for one that ARPAbet has not."""
    return "".join(CODES[phoneme] for phoneme in phonemes)


def unpacked(code: str) -> tuple[str, ...]:
    """Phonemes of what `packed` gave."""
    return tuple(map(PHONEMES.__getitem__, code))


def onset_before(phonemes: tuple[str, ...], vowel: int) -> tuple[str, ...]:
    """Consonants that begin the syllable of the vowel at an index: as many as English allows."""
    start = vowel
    while start and not is_vowel(phonemes[start - 1]):
        start -= 1
    if start == 0:
        return phonemes[:vowel]
    if start == vowel and phonemes[start - 1].startswith("ER"):
        return ("R",)  # `arose` is said as `a rose`
    while vowel - start > 1 and "".join(phonemes[start:vowel]) not in _ONSETS:
        start += 1
    onset = phonemes[start:vowel]
    return () if onset == ("NG",) else onset
