"""What cannot be is refused before the first step of the network: which field, why, what can be."""

from typing import Any

import pytest
from verse_voices import Poet, anthology_words, poet

from model.checkpoint import LoadedCheckpoint
from verse.composer.feasibility import require_possible
from verse.composer.impossible_form import ImpossibleFormError

FOUR = {"metre": "x/x/x/x/"}
LINE = "spec.stanzas.0.0."
SECOND = "spec.stanzas.0.1."


@pytest.fixture(scope="module")
def singer(tiny: LoadedCheckpoint, anthology: str) -> Poet:
    return poet(tiny, anthology_words(anthology))


@pytest.mark.parametrize(
    ("lines", "field", "problem", "nearest"),
    [
        ([{"text": "The light", **FOUR}], LINE + "text", "has 2", "ask for 2 syllables"),
        ([{"text": "The garden in the light is long", **FOUR}], None, "", ""),
        ([{"text": "A river delights in the sea", **FOUR}], LINE + "text", "metre of", "syllables"),
        ([{"text": "A 99 b", "syllables": 3}], LINE + "text", "99: not known", ""),
        ([{"text": "床前明月", "characters": 5}], LINE + "text", "characters of", ""),
        ([{"text": " "}], LINE + "text", "parts stanzas", ""),
        ([{"text": "A b", "tail": "tonight"}], LINE + "text", "tail of", ""),
        (
            [{"rhyme": "A", "text": "The orange"}, {"rhyme": "A"}],
            SECOND + "rhyme",
            "must rhyme with 'orange'",
            "nearest in sound: ",
        ),
        (
            [{"rhyme": "A", "text": "a light"}, {"rhyme": "A", "text": "delight"}],
            SECOND + "text",
            "same sound",
            "two letters",
        ),
        (
            [{"rhyme": "A", "text": "a light"}, {"rhyme": "B", "end": "night"}],
            SECOND + "end",
            "distinct rhyme",
            "one letter",
        ),
        ([{"rhyme": "A", "end": "grr"}, {"rhyme": "A"}], LINE[:-1], "'grr' sounds", ""),
        ([{"rhyme": "A", **FOUR}] * 90, LINE + "rhyme", "90 lines", "another letter"),
        (
            [{"rhyme": "A", **FOUR}, {"rhyme": "A", "metre": "x/x/x"}],
            SECOND + "rhyme",
            "other feet",
            "end alike",
        ),
        ([{"start": "--"}], LINE + "start", "no word", ""),
        ([{"end": "!"}], LINE + "end", "no word", ""),
        ([{"start": "a" * 101}], LINE + "start", "at most 100", ""),
        ([{"start": "In the light", "syllables": 3}], LINE + "start", "fills the whole", "lock"),
        ([{"start": "In the light", "syllables": 2}], LINE + "start", "has 3", "more than 3"),
        ([{"start": "Garden", **FOUR}], LINE + "start", "stresses", "give syllables"),
        ([{"end": "the garden", **FOUR}], LINE + "end", "stresses", "give syllables"),
        ([{"tail": "garden", **FOUR}], LINE + "tail", "stresses", "give syllables"),
        ([{"tail": "the light", "syllables": 2}], LINE + "tail", "no room", ""),
        ([{"start": "Grr", "syllables": 5}], LINE + "start", "'Grr' sounds", ""),
        (
            [{"start": "The golden", "end": "garden", "syllables": 4}],
            LINE + "end",
            "do not fit one line",
            "leave out",
        ),
        ([{"start": "A\u4e0d"}], LINE + "start", "cannot write", ""),
        ([{"acrostic": "\u4e0d"}], LINE + "acrostic", "cannot write", ""),
        ([{"acrostic": "\u00c7"}], LINE + "acrostic", "cannot write", "it can write 'C'"),
        ([{"acrostic": "x", "syllables": 1}], LINE + "acrostic", "begins with 'x'", "there are A"),
        ([{"characters": 9, "end": "sea"}], LINE + "end", "ends as it comes", "lock"),
        ([{"characters": 3, "start": "The"}], LINE + "start", "fills the whole", "lock"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_with_the_nearest(
    lines: list[dict[str, Any]], field: str | None, problem: str, nearest: str, singer: Poet
) -> None:
    request = singer.request(*lines)
    if field is None:
        require_possible(singer.voice, request)
        return
    with pytest.raises(ImpossibleFormError) as raised:
        require_possible(singer.voice, request)
    assert raised.value.field == field
    assert problem in raised.value.problem
    assert nearest in raised.value.nearest
    assert bool(nearest) <= bool(raised.value.nearest)


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"keywords": ["golde"]}, "keywords", "it has gold, golden"),
        ({"keywords": ["thou"], "modern": True}, "keywords", "archaic"),
    ],
)
def test_keywords_that_cannot_come_are_refused(
    fields: dict[str, Any], field: str, told: str, singer: Poet
) -> None:
    with pytest.raises(ImpossibleFormError, match=told) as raised:
        require_possible(singer.voice, singer.request(form="haiku", **fields))
    assert raised.value.field == field


@pytest.mark.parametrize("field", ["avoid", "prefer", "keywords", "subject", "modern"])
def test_lines_by_letters_take_no_words(field: str, singer: Poet) -> None:
    asked = {field: True if field == "modern" else ["sea"]}
    with pytest.raises(ImpossibleFormError, match="without words") as raised:
        require_possible(singer.voice, singer.request({"characters": 9}, **asked))
    assert raised.value.field == field


def test_best_effort_takes_what_can_be_relaxed(singer: Poet) -> None:
    for lines in (
        [{"text": "The light", **FOUR}],
        [{"rhyme": "A", "text": "The orange"}, {"rhyme": "A"}],
        [{"start": "Garden", **FOUR}],
    ):
        require_possible(singer.voice, singer.request(*lines, strict=False))
    with pytest.raises(ImpossibleFormError):
        require_possible(singer.voice, singer.request({"start": "--"}, strict=False))


def test_a_locked_line_may_turn_a_foot_as_the_verifier_allows(singer: Poet) -> None:
    line = {"text": "Gather ye rosebuds while ye may", **FOUR}
    assert singer.report(line).ok
