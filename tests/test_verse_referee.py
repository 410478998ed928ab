"""Pronunciations beside a second dictionary, where it is installed: misaki's."""

# ruff: noqa: RUF001 - letters of the phonetic alphabet

import pytest
from misaki_referee import Referee, heard, referee

from verse.prosody.dictionary import dictionary_words
from verse.prosody.readings import readings


@pytest.fixture(scope="module")
def misaki() -> Referee:
    found = referee()
    if found is None:
        pytest.skip("misaki is not installed: pip install 'strophe[referee]'")
    return found


def test_the_referee_hears_stress_rhyme_and_onset() -> None:
    """By its notation alone, so this needs no misaki."""
    delight, moonlight, heaven = heard("dəlˈIt"), heard("mˈunlˌIt"), heard("hˈɛvᵊn")
    assert heard("bˈʌʔn").stresses == "10"
    assert (delight.stresses, delight.rhyme, delight.onset) == ("01", "It", "l")
    assert (moonlight.stresses, moonlight.rhyme) == ("12", "It")
    assert (heaven.stresses, heaven.rhyme, heaven.onset) == ("10", "ɛvən", "h")


def test_a_referee_joins_endings_to_the_stems_that_it_knows() -> None:
    known = Referee({"sky": ("skˈI",), "rose": ("ɹˈOz",), "love": ("lˈʌv",)})
    said = {word: known.readings(word)[0].rhyme for word in ("skies", "roses", "lov'd", "loving")}
    assert said == {"skies": "Iz", "roses": "Ozəz", "lov'd": "ʌvd", "loving": "ʌvəŋ"}
    assert known.readings("moon") == ()
    assert known.rhymes("skies", "moon") is None


def test_two_dictionaries_agree_on_syllables_and_stress(misaki: Referee) -> None:
    both = [word for word in dictionary_words()[::20] if misaki.readings(word) and word.isalpha()]
    same_count = same_stress = 0
    for word in both:
        ours, theirs = readings(word), misaki.readings(word)
        counts = {len(each.stresses) for each in ours}
        same_count += any(each.syllables in counts for each in theirs)
        places = {each.stresses.find("1") for each in ours}
        same_stress += any(each.stresses.find("1") in places for each in theirs)
    assert len(both) > 1000
    assert same_count / len(both) > 0.97
    assert same_stress / len(both) > 0.95


def test_the_referee_rhymes_what_rhymes_here(misaki: Referee) -> None:
    pairs = [("night", "flight"), ("sea", "free"), ("roses", "noses"), ("hear", "drear")]
    assert all(misaki.rhymes(one, other) for one, other in pairs)
    assert not misaki.rhymes("light", "delight")
