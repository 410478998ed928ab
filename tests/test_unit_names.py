"""Names of units: they are of the model that ships, and what they follow is what they say."""

import json

import pytest
from name_units import LEAST, UNITS, named, passages
from unit_targets import TARGETS

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import Checkpoint

NAMED = json.loads(UNITS.read_text(encoding="utf-8"))
STANZA = 'Ah, (so) the Moon,\n"was late," I\'d say'


def test_the_named_units_are_those_of_the_model_that_ships() -> None:
    """For another one: python benchmarks/name_units.py --text FILE; for another card without."""
    shipped = checkpoints.load(pretrained.DEFAULT)
    assert NAMED["fingerprint"] == f"fp_{shipped.digest}"
    config = shipped.network.config
    places = {(each["layer"], each["unit"]) for each in NAMED["units"]}
    assert len(places) == len(NAMED["units"]) > 0
    for each in NAMED["units"]:
        assert 0 <= each["layer"] < config.num_layers
        assert 0 <= each["unit"] < config.hidden_size
        assert each["target"] in TARGETS
        assert LEAST <= abs(each["correlation"]) <= 1


@pytest.mark.parametrize(
    ("name", "marked"),
    [
        ("quoted", '..................."was.late,.........'),
        ("bracketed", "....(so..............................."),
        ("gap", '..,.(..).........,\n"........,"..\'.....'),
        ("vowel", "A.....o....e..oo.....a...a.e...I....a."),
        ("next_vowel", ".....s....h..Mo.....w...l.t........s.."),
        ("capital", "Ah...........Moon..............I.d...."),
        ("last_word", ".............Moon,\n................say"),
    ],
)
def test_targets_mark_the_characters_that_they_are_true_of(name: str, marked: str) -> None:
    series = TARGETS[name](list(STANZA))
    pairs = zip(STANZA, series, strict=True)
    shown = (character if value and character != " " else "." for character, value in pairs)
    assert "".join(shown) == marked


def test_targets_count_columns_letters_and_lines() -> None:
    assert TARGETS["column"](list("ab\nc")) == [1, 2, 0, 1]
    assert TARGETS["letter"](list("ab c1d")) == [1, 2, None, 1, None, 1]
    assert TARGETS["stanza_line"](list("a\nb\n\nc")) == [1, 1, 2, 2, 0, 1]
    assert TARGETS["vowel"](list("a b")) == [1, None, 0]


def test_passages_begin_with_stanzas_and_hold_what_is_rare() -> None:
    plain, rare = "a plain line of verse\n" * 40, 'she said "no" (once)\n' * 40
    texts = passages(f"{plain}\n\n{rare}\n\n" * 12, 6)
    assert len(texts) >= 5
    assert all(text.startswith(("a plain", "she said")) for text in texts)
    assert '"' in texts[1]
    assert "(" in texts[2]


def test_each_unit_has_one_name_and_follows_it(tiny: Checkpoint, anthology: str) -> None:
    found = list(named(tiny, passages(anthology, 6)))
    assert len({(each["layer"], each["unit"]) for each in found}) == len(found)
    assert all(LEAST <= abs(each["correlation"]) <= 1 for each in found)
