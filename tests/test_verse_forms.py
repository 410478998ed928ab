"""Forms and presets: what a line may ask for, what is refused with which field, known forms."""

from typing import Any

import pytest

from model.errors import ParameterError
from verse.forms import FEET, LENGTHS, LineSpec, PoemSpec, template_of
from verse.presets import FORM_NAMES, WORD_PRESETS, preset


def word_for(name: str) -> str | None:
    return "Strophe" if name in WORD_PRESETS else None


def scheme(spec: PoemSpec) -> str:
    return "|".join("".join(line.rhyme or "." for line in stanza) for stanza in spec.stanzas)


def refused(line: dict[str, Any]) -> ParameterError:
    with pytest.raises(ParameterError) as raised:
        PoemSpec.checked({"stanzas": [[{}, line]]})
    return raised.value


@pytest.mark.parametrize("name", FORM_NAMES)
def test_a_preset_comes_back_from_its_json(name: str) -> None:
    spec = preset(name, word_for(name))
    assert PoemSpec.checked(spec.model_dump(mode="json", exclude_none=True)) == spec
    assert PoemSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("name", "letters", "syllables"),
    [
        ("haiku", "...", [5, 7, 5]),
        ("couplets", "AABB", [10] * 4),
        ("quatrain-abab", "ABAB", [10] * 4),
        ("quatrain-aabb", "AABB", [8] * 4),
        ("quatrain-abba", "ABBA", [8] * 4),
        ("common-metre", "ABAB|CDCD", [8, 6] * 4),
        ("ballad", ".A.A|.B.B|.C.C", [8, 6] * 6),
        ("limerick", "AABBA", [8, 8, 5, 5, 8]),
        ("sonnet", "ABABCDCDEFEFGG", [10] * 14),
        ("sonnet-petrarchan", "ABBAABBA|CDECDE", [10] * 14),
        ("villanelle", "ABA|ABA|ABA|ABA|ABA|ABAA", [10] * 19),
        ("triolet", "ABAAABAB", [8] * 8),
        (
            "song",
            "AABB|CDCD|EEFF|CDCD|GG|CDCD",
            [8] * 4 + [8, 6, 8, 6] + [8] * 4 + [8, 6] * 2 + [10] * 2 + [8, 6] * 2,
        ),
    ],
)
def test_the_known_forms_are_what_their_names_promise(
    name: str, letters: str, syllables: list[int]
) -> None:
    spec = preset(name)
    assert scheme(spec) == letters
    ranges = [spec.resolved(index).syllable_range for index in range(len(spec.lines))]
    assert [low for low, _ in filter(None, ranges)] == syllables


def test_the_refrains_of_a_villanelle_are_its_first_and_third_line() -> None:
    refrains = [line.refrain for line in preset("villanelle").lines]
    assert refrains == [None] * 5 + [
        1,
        None,
        None,
        3,
        None,
        None,
        1,
        None,
        None,
        3,
        None,
        None,
        1,
        3,
    ]


def test_an_acrostic_spells_its_word_and_leaves_an_odd_last_line_free() -> None:
    spec = preset("acrostic", "Ever so")
    assert "".join(line.acrostic or "" for line in spec.lines) == "Everso"
    assert scheme(preset("acrostic", "Stars")) == "AABB."


def test_a_ghazal_ends_on_the_words_that_are_asked_for() -> None:
    spec = preset("ghazal", "of the sea")
    assert [line.tail for line in spec.lines if line.rhyme] == ["of the sea"] * 6


@pytest.mark.parametrize(
    ("name", "word", "field"),
    [
        ("sestina", None, "form"),
        ("acrostic", None, "word"),
        ("acrostic", "42", "word"),
        ("haiku", "x", "word"),
    ],
    ids=["unknown", "missing", "no letters", "of no use"],
)
def test_a_form_that_there_is_not_is_refused_by_its_field(
    name: str, word: str | None, field: str
) -> None:
    with pytest.raises(ParameterError) as raised:
        preset(name, word)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"rhyme": "ab"}, "pattern"),
        ({"syllables": [9, 7]}, "[9, 7]"),
        ({"syllables": 31}, "at most 30"),
        ({"metre": "x/y"}, "one of iambic"),
        ({"metre": "x/x/", "syllables": 10}, "4 places, and syllables asks for 10"),
        ({"refrain": 2}, "an earlier line"),
        ({"refrain": 1, "end": "sea"}, "nothing else"),
        ({"end": "sea", "tail": "again"}, "give one of them"),
        ({"acrostic": "4"}, "one letter"),
        ({"acrostic": "T", "start": "A rose"}, "is not how"),
        ({"text": "one\ntwo"}, "pattern"),
        ({"rime": "A"}, "not permitted"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_a_line_cannot_be_is_refused_with_what_is_wrong(
    line: dict[str, Any], says: str
) -> None:
    error = refused(line)
    assert says in str(error)
    assert error.field.startswith("stanzas")


@pytest.mark.parametrize("foot", FEET)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_metre_can_be_named(foot: str, length: str) -> None:
    template = template_of(f"{foot} {length}")
    assert template == FEET[foot] * LENGTHS[length]
    assert LineSpec(metre=template).templates == LineSpec(metre=f"{foot} {length}").templates


def test_a_line_can_be_put_in_the_place_of_another() -> None:
    spec = preset("common-metre")
    changed = spec.with_line(5, LineSpec(text="The moon"))
    assert [line.text for line in changed.lines] == [None] * 5 + ["The moon"] + [None] * 2
    assert changed.with_line(5, spec.lines[5]) == spec
