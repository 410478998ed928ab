"""Readings of words of verse: from the dictionary, by rule, by guess, and each so labelled."""

import hashlib
import lzma
from pathlib import Path

import pytest

from verse.prosody import dictionary, pack
from verse.prosody.dictionary import dictionary_readings, dictionary_words
from verse.prosody.phonemes import SYMBOLS, packed, unpacked
from verse.prosody.pronunciation import Pronunciation
from verse.prosody.readings import readings
from verse.prosody.verse_words import verse_words
from verse.prosody.word_endings import ending_readings

FOLDER = Path(dictionary.__file__).parent / "cmudict"
# Of the packed text, which any version of xz gives back; made from CMUdict as of 2024-12-17.
DIGEST = "e9984867859bac05d3cfa8377dfd901e2ddb4bb92a484acee04a0c5cf3bb10b5"


def said(word: str) -> list[str]:
    return [" ".join(reading.phonemes) for reading in readings(word)]


def sources(word: str) -> list[str]:
    return [reading.source for reading in readings(word)]


def rhymes(one: str, other: str) -> bool:
    """Check whether some reading of each word has the other's rhyme after another onset."""
    return any(
        a.rhyme == b.rhyme and a.onset != b.onset for a in readings(one) for b in readings(other)
    )


def test_the_packed_dictionary_is_the_one_it_was_made_of() -> None:
    packed_dictionary = lzma.decompress((FOLDER / dictionary.FILE).read_bytes())
    assert hashlib.sha256(packed_dictionary).hexdigest() == DIGEST
    assert len(dictionary_words()) == 126_052
    assert dictionary_readings("lead") == (("L", "EH1", "D"), ("L", "IY1", "D"))


def test_the_packer_gives_back_every_reading_and_the_notice() -> None:
    lines = ["# Copyright", "# of someone", "", "a AH0", "a(2) EY1 # letter", "a(3) AH0", "b B IY1"]
    text = pack.packed_text(lines)
    word, _, codes = text.split("\n")[0].partition("\t")
    assert (word, [unpacked(code) for code in codes.split(" ")]) == ("a", [("AH0",), ("EY1",)])
    assert pack.notice(lines) == "Copyright\nof someone\n"


def test_the_packer_names_the_line_with_a_strange_phoneme() -> None:
    with pytest.raises(ValueError, match="line 2: 'EE1' is no ARPAbet phoneme"):
        pack.packed_text(["a AH0", "bee B EE1"])


def test_packing_a_reading_is_undone_by_unpacking() -> None:
    assert unpacked(packed(SYMBOLS)) == SYMBOLS


def test_the_dictionary_travels_with_its_notice() -> None:
    notice = (FOLDER / "LICENSE").read_text(encoding="utf-8")
    assert notice.startswith("Copyright (C) 1993-2015 Carnegie Mellon University.")
    assert "Redistributions in binary form must reproduce" in notice


def test_every_word_of_the_own_list_is_in_arpabet() -> None:
    symbols = {each for known in verse_words().values() for p in known for each in p}
    assert symbols <= set(SYMBOLS)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("fire", ["F AY1 R", "F AY1 ER0"]),
        ("hour", ["AW1 R", "AW1 ER0"]),
        ("flower", ["F L AW1 ER0", "F L AW1 R"]),
        ("heaven", ["HH EH1 V AH0 N", "HH EH1 V N"]),
        ("every", ["EH1 V R IY0", "EH1 V ER0 IY0"]),
        ("evening", ["IY1 V N IH0 NG", "IY1 V AH0 N IH0 NG"]),
        ("blessed", ["B L EH1 S T", "B L EH1 S IH0 D"]),
        ("winged", ["W IH1 NG D", "W IH1 NG IH0 D"]),
        ("wandering", ["W AA1 N D ER0 IH0 NG", "W AA1 N D R IH0 NG"]),
        ("glorious", ["G L AO1 R IY0 AH0 S", "G L AO1 R Y AH0 S"]),
        ("lead", ["L EH1 D", "L IY1 D"]),
        ("squire", ["S K W AY1 R", "S K W AY1 ER0"]),
        ("Celia", ["S IY1 L Y AH0", "S IY1 L IY0 AH0"]),
    ],
)
def test_a_word_has_all_its_readings_the_usual_first(word: str, expected: list[str]) -> None:
    assert said(word) == expected


@pytest.mark.parametrize("word", ["lion", "higher", "being", "walked"])
def test_what_verse_seldom_shortens_is_not_shortened(word: str) -> None:
    lengths = {len(reading.stresses) for reading in readings(word)}
    assert len(lengths) == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("skies'", "S K AY1 Z"),
        ("nightingale's", "N AY1 T IH0 NG G EY0 L Z"),
        ("muse's", "M Y UW1 Z IH0 Z"),
        ("seem'd", "S IY1 M D"),
        ("lov'd", "L AH1 V D"),
        ("stopp'd", "S T AA1 P T"),
        ("know'st", "N OW1 S T"),
        ("goest", "G OW1 AH0 S T"),
        ("maketh", "M EY1 K IH0 TH"),
        ("mornin'", "M AO1 R N IH0 N"),
        ("drest", "D R EH1 S T"),
        ("dropt", "D R AA1 P T"),
        ("unwept", "AH0 N W EH1 P T"),
        ("is't", "IH1 Z T"),
        ("th'eternal", "DH IH0 T ER1 N AH0 L"),
        ("mournfully", "M AO1 R N F AH0 L IY0"),
        ("pow'r", "P AW1 R"),
        ("glitt'ring", "G L IH1 T R IH0 NG"),
        ("giv'n", "G IH1 V N"),
        ("splendour", "S P L EH1 N D ER0"),
        ("selfe", "S EH1 L F"),
        ("sunne", "S AH1 N"),
        ("'gainst", "G EH1 N S T"),
        ("'stead", "S T EH1 D"),
        ("wreathèd", "R IY1 DH IH0 D"),
        ("wreathed", "R IY1 DH D"),
        ("sea-girt", "S IY1 G ER2 T"),
        ("stormcloud", "S T AO1 R M K L AW2 D"),
    ],
)
def test_rules_read_what_the_dictionary_lacks(word: str, expected: str) -> None:
    assert (said(word)[0], sources(word)[0]) == (expected, "rule")


def test_a_reading_says_where_it_is_from() -> None:
    assert sources("fire") == ["dictionary", "dictionary"]
    assert sources("heaven") == ["dictionary", "rule"]
    assert sources("brillig") == ["guess"]


@pytest.mark.parametrize("word", ["", "'", "-", "zzz", "1798", "xiv", "Ω", "стих", "a b", "b" * 50])
def test_a_word_of_which_nothing_can_be_said_has_no_reading(word: str) -> None:
    assert readings(word) == ()


@pytest.mark.parametrize("word", ["HEAV'N", "heav\u2019n", "Heav\u2018n"])
def test_case_and_the_shape_of_an_apostrophe_do_not_matter(word: str) -> None:
    assert readings(word) == readings("heav'n")


@pytest.mark.parametrize(
    ("word", "stresses", "rhyme", "onset"),
    [
        ("beginning", "010", "IH N AH NG", "G"),
        ("delight", "01", "AY T", "L"),
        ("multitude", "102", "UW D", "T"),
        ("embrace", "01", "EY S", "B R"),
        ("the", "0", "AH", "DH"),
        ("th'", "", "", ""),
    ],
)
def test_stresses_and_rhyme_follow_from_the_phonemes(
    word: str, stresses: str, rhyme: str, onset: str
) -> None:
    first = readings(word)[0]
    assert (first.stresses, first.rhyme, first.onset) == (stresses, rhyme, onset)


def test_rhyme_looks_past_the_dictionary_s_choice_of_a_weak_vowel() -> None:
    """CMUdict ends `roses` in IH0 Z and `noses` in AH0 Z."""
    assert rhymes("roses", "noses")


@pytest.mark.parametrize(
    ("one", "other"), [("shadow", "go"), ("meadow", "below"), ("starry", "sea"), ("virtue", "you")]
)
def test_a_weak_end_is_no_rhyme_though_the_dictionary_marks_it(one: str, other: str) -> None:
    assert not rhymes(one, other)


@pytest.mark.parametrize("word", ["overthrow", "jubilee", "moonlight"])
def test_a_half_stress_that_is_heard_stays(word: str) -> None:
    assert readings(word)[0].stresses[-1] == "2"


def test_the_same_onset_is_not_a_rhyme() -> None:
    assert rhymes("light", "night")
    assert not rhymes("light", "delight")
    assert not rhymes("light", "moonlight")


@pytest.mark.parametrize(("ending", "share"), [("s", 0.93), ("ed", 0.94), ("ing", 0.93)])
def test_rules_agree_with_the_dictionary_s_own_inflections(ending: str, share: float) -> None:
    """The dictionary's own entry is not asked: the rule sees the stems only.

    What differs is mostly the dictionary's own: names, and weak vowels marked 2 here and 0 there.
    """
    ruled = agreed = 0
    for word in dictionary_words():
        if not word.endswith(ending) or not (found := ending_readings(word, dictionary_readings)):
            continue
        ruled += 1
        own = {sound_of(phonemes) for phonemes in dictionary_readings(word)}
        agreed += any(sound_of(phonemes) in own for phonemes in found)
    assert ruled > 4000
    assert agreed / ruled > share


def sound_of(phonemes: tuple[str, ...]) -> tuple[str, str]:
    reading = Pronunciation(phonemes, "rule")
    return reading.stresses, reading.rhyme
