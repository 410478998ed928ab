"""Composing: what a strict poem keeps, what its seed promises, what best effort gives up."""

from typing import Any

import pytest
import torch
from verse_voices import NEAR, Poet, anthology_words, poet

from model.checkpoint import LoadedCheckpoint
from model.scoring import surprisals
from verse.composer import poem_writing
from verse.composer.diction_choice import is_archaic
from verse.composer.network_steps import NetworkStep, joined
from verse.composer.poem_writing import Composing, compose
from verse.composing import answered, write_poem
from verse.poem import ComposedLine, CompositionError, Poem
from verse.prosody.line_words import line_words

TETRAMETER, TRIMETER = "x/x/x/x/", "x/x/x/"
ANAPESTS = ["x/xx/xx/", "xx/xx/xx/"]
SHORT = ["x/xx/", "xx/xx/"]
Line = dict[str, Any]


@pytest.fixture(scope="module")
def singer(tiny: LoadedCheckpoint, anthology: str) -> Poet:
    return poet(tiny, anthology_words(anthology))


def words_of(poem: Poem) -> list[str]:
    return [word.text.casefold() for line in poem.lines for word in line_words(line.text)]


# What is strict is kept

FORMS: dict[str, list[Line]] = {
    "rhymes and refrains": [
        {"rhyme": "A", "metre": TETRAMETER},
        {"rhyme": "B", "metre": TETRAMETER},
        {"rhyme": "A", "metre": TETRAMETER},
        {"rhyme": "A", "refrain": 1},
        {"rhyme": "B", "metre": TETRAMETER},
        {"rhyme": "B", "refrain": 2},
    ],
    "unrhymed lines between rhymed ones": [
        {"metre": TETRAMETER},
        {"rhyme": "A", "metre": TRIMETER},
        {"metre": TETRAMETER},
        {"rhyme": "A", "metre": TRIMETER},
    ],
    "ranges of syllables": [
        {"rhyme": "A", "syllables": [6, 9]},
        {"rhyme": "A", "syllables": [6, 9]},
        {"syllables": [1, 2]},
        {"syllables": 30},
    ],
    "tails": [
        {"rhyme": "A", "tail": "tonight", "syllables": [7, 9]},
        {"rhyme": "A", "tail": "tonight", "metre": TETRAMETER},
        {"tail": "my heart\u2019s desire!", "syllables": 8},
    ],
    "acrostics": [
        {"acrostic": letter, "metre": TETRAMETER, "rhyme": rhyme}
        for letter, rhyme in zip("sOOn", "AABB", strict=True)
    ],
    "one letter's words all used": [{"acrostic": "X", "syllables": 4}] * 3,
    "anapests of two templates": [
        {"rhyme": "A", "metre": ANAPESTS},
        {"rhyme": "A", "metre": ANAPESTS},
        {"rhyme": "B", "metre": SHORT},
        {"rhyme": "B", "metre": SHORT},
        {"rhyme": "A", "metre": ANAPESTS, "start": "And the light"},
    ],
    "a rhyme set by a later line": [
        {"rhyme": "A", "metre": TETRAMETER},
        {"rhyme": "B", "metre": TETRAMETER},
        {"rhyme": "A", "text": "Gather the roses by the night"},
        {"rhyme": "B", "metre": TETRAMETER, "end": "sea"},
    ],
    "a locked line with a tail": [
        {"rhyme": "A", "tail": "tonight", "syllables": [6, 10]},
        {"rhyme": "A", "text": "I hear the wind tonight.", "tail": "tonight"},
    ],
    "feminine ends": [{"rhyme": "A", "metre": "/x/x/x"}, {"rhyme": "A", "syllables": 6}],
    "given starts and ends": [
        {"start": "The sun,", "end": "the day!", "syllables": 7},
        {"start": "In Grr we", "end": "Brrr"},
        {"acrostic": "T", "end": "the day", "syllables": [2, 4]},
        {"acrostic": "Q", "end": "the day", "syllables": [2, 4]},
    ],
    "letters counted": [
        {"characters": 5},
        {"characters": [10, 14], "start": "The sun"},
        {"characters": [3, 9], "acrostic": "m"},
    ],
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", FORMS)
def test_the_verifier_accepts_what_a_strict_composer_wrote(
    name: str, seed: int, singer: Poet
) -> None:
    report = singer.report(*FORMS[name], seed=seed)
    assert report.faults == ()
    assert all(check.ok for check in report.checks if check.kind == "close")
    assert report.relaxed == ()


@pytest.mark.parametrize("form", ["ghazal", "limerick", "common-metre"])
def test_presets_are_kept(form: str, singer: Poet) -> None:
    report = singer.report(form=form, word="in the city" if form == "ghazal" else None)
    assert report.faults == ()
    assert {check.ok for check in report.checks} == {True}


def test_lines_of_words_have_only_the_models_words_and_do_not_begin_alike(singer: Poet) -> None:
    poem = singer.write(form="quatrain-aabb")
    lexicon = singer.voice.lexicon
    assert lexicon is not None
    assert set(words_of(poem)) <= set(lexicon.words)
    openings = [line_words(line.text)[0].text for line in poem.lines]
    assert len(set(openings)) == len(openings)


# The promise of the seed


def test_a_seed_gives_the_same_poem_and_another_seed_another(singer: Poet) -> None:
    first, again, other = (singer.write(form="haiku", seed=seed) for seed in (7, 7, 8))
    assert first == again or texts_and_numbers(first) == texts_and_numbers(again)
    assert first.text != other.text


def texts_and_numbers(poem: Poem) -> list[object]:
    return [(each.text, each.nats_per_character, each.end_nats) for each in poem.lines]


def test_without_a_seed_one_is_drawn_that_gives_the_poem_again(singer: Poet) -> None:
    poem = singer.write(form="haiku", seed=None)
    assert singer.write(form="haiku", seed=poem.seed).text == poem.text


def test_lines_come_as_they_are_written(singer: Poet) -> None:
    request = singer.request(form="haiku", seed=None)
    lines: list[ComposedLine] = []
    poem = write_poem(singer.decoder, singer.voice, request, lines.append)
    assert tuple(lines) == poem.lines


@torch.inference_mode()
def together(singer: Poet, composers: list[Composing]) -> list[Poem]:
    """Poems of composers whose steps are rows of one call, as long as both ask for one."""
    poems: dict[int, Poem] = {}
    asked: dict[int, object] = {}

    def send(which: int, answer: object) -> None:
        try:
            asked[which] = composers[which].send(answer)
        except StopIteration as finished:
            poems[which] = finished.value
            asked.pop(which, None)

    for which in range(len(composers)):
        send(which, None)
    while asked:
        for which, each in list(asked.items()):
            if isinstance(each, ComposedLine):
                send(which, None)
            elif not isinstance(each, NetworkStep):
                send(which, answered(singer.decoder, each))  # type: ignore[arg-type]
        steps = {which: each for which, each in asked.items() if isinstance(each, NetworkStep)}
        if len(steps) == len(asked) > 0:
            state = joined([each.state for each in steps.values()])
            ids = torch.cat([each.ids for each in steps.values()])
            logits = singer.decoder.backend.step(ids, state).numpy()
            start = 0
            for which, each in steps.items():
                rows = slice(start, start := start + len(each.ids))
                each.state[:] = [part[rows].clone() for part in state]
                send(which, logits[rows].copy())
    return [poems[which] for which in range(len(composers))]


def test_neighbours_do_not_show(singer: Poet) -> None:
    wanted = [
        (singer.request(form="haiku", title="THE SEA."), 3),
        (singer.request(*FORMS["tails"]), 4),
        (singer.request(*FORMS["letters counted"]), 5),
    ]
    found = together(singer, [compose(singer.voice, request, seed) for request, seed in wanted])
    alone = [
        together(singer, [compose(singer.voice, request, seed)])[0] for request, seed in wanted
    ]
    assert list(map(texts_and_numbers, found)) == list(map(texts_and_numbers, alone))


def test_a_float32_decoder_composes_too(tiny: LoadedCheckpoint, anthology: str) -> None:
    singer = poet(tiny, anthology_words(anthology), "fp32")
    lines = FORMS["rhymes and refrains"]
    assert singer.decoder.backend_name == "fp32"
    assert singer.report(*lines).ok
    assert singer.write(*lines).text == singer.write(*lines).text


# What the network is told, and what it says


@pytest.mark.parametrize(
    "lines",
    [
        [{"syllables": 6}, {"syllables": 6}],
        [{"rhyme": "A", "metre": TRIMETER}, {"rhyme": "A", "metre": TRIMETER}],
        [{"syllables": 8, "start": "The sun and"}, {"rhyme": "A", "tail": "again, my love"}],
        [{"end": "the day!", "start": "O then"}, {"text": "Locked."}, {"end": "of the moon"}],
        [{"characters": 8, "start": "So"}, {"refrain": 1}, {"characters": 6}],
    ],
)
def test_costs_are_the_networks_own_of_the_finished_line(lines: list[Line], singer: Poet) -> None:
    request = singer.request(*lines, title="THE SEA.", opening="One line\nbefore")
    poem = singer.write(*lines, title="THE SEA.", opening="One line\nbefore")
    tokenizer, network = singer.loaded.tokenizer, singer.loaded.network
    before = request.text_before
    for line, spec in zip(poem.lines, request.poem_spec().lines, strict=True):
        whole = tokenizer.encode_prompt(f"{before}{line.text}\n").ids
        nats, _ = surprisals(network, torch.tensor([whole]))
        if not line.is_given:
            given = "" if spec.start is None else line.text[: len(spec.start) + 1]
            chosen = len(line.text) + 1 - len(given)
            mean = nats[0, -chosen:].sum().item() / chosen
            assert line.nats_per_character == pytest.approx(mean, abs=0.03)
            assert line.free_nats_per_character is not None
            assert 2 < line.free_nats_per_character < 6
        before += f"{line.text}\n"


def test_costs_of_a_line_are_of_the_float32_network(tiny: LoadedCheckpoint, anthology: str) -> None:
    singer = poet(tiny, anthology_words(anthology), "fp32")
    for lines in ([{"syllables": 6}], [{"start": "The sun", "end": "the night"}]):
        [line] = singer.write(*lines).lines
        ids = tiny.tokenizer.encode_prompt(f"\n\n{line.text}\n").ids
        nats, _ = surprisals(tiny.network, torch.tensor([ids]))
        chosen = len(line.text) + 1 - len("The sun " if "start" in lines[0] else "")
        assert line.nats_per_character is not None
        total = nats[0, -chosen:].sum().item()
        assert line.nats_per_character * chosen == pytest.approx(total, abs=1e-3)
        last = len(line.text.rsplit(" ", 2 if "end" in lines[0] else 1)[-1]) + 1
        if "end" not in lines[0]:
            assert line.end_nats == pytest.approx(nats[0, -last:].sum().item(), abs=1e-3)


def test_title_and_opening_are_read_before_the_poem(singer: Poet) -> None:
    assert singer.request(form="haiku").text_before == "\n\n"
    request = singer.request(form="haiku", title="T", opening="\nOne\nTwo\n")
    assert request.text_before == "T\n\nOne\nTwo\n"
    plain = singer.write(form="haiku")
    assert singer.write(form="haiku", opening="One").text != plain.text


# Words that are asked for, and words that are not


def test_what_is_given_stands_where_it_was_given(singer: Poet) -> None:
    poem = singer.write(
        {"text": " The moon -- is 9 \u2603", "rhyme": "A"},
        {"start": "And so", "end": "of day", "syllables": 8},
        {"refrain": 1, "rhyme": "A"},
        strict=False,
    )
    first, second, third = (line.text for line in poem.lines)
    assert first == third == " The moon -- is 9 \u2603"
    assert second.startswith("And so ")
    assert second.rstrip(",;:.!?").endswith(" of day")
    assert [line.is_given for line in poem.lines] == [True, False, True]


def test_an_end_that_has_a_mark_gets_no_other(singer: Poet) -> None:
    for seed in range(4):
        poem = singer.write({"end": "the sea!"}, {"end": "the sea,"}, seed=seed)
        assert [line.text[-5:] for line in poem.lines] == [" sea!", " sea,"]


def test_words_to_avoid_do_not_occur_not_even_with_a_capital(singer: Poet) -> None:
    lines = [{"acrostic": "I", "syllables": 6}] * 3
    openings = {words_of(singer.write(*lines, seed=seed))[0] for seed in range(6)}
    avoid = sorted(openings)[:3]
    for seed in range(6):
        poem = singer.write(*lines, avoid=[word.upper() for word in avoid], seed=seed)
        assert not set(avoid) & set(words_of(poem))


def test_modern_leaves_archaic_words_out(singer: Poet) -> None:
    prefer = ["thou", "hath", "o\u2019er", "loveth", "heav'n", "i've"]
    old = words_of(singer.write(*[{"syllables": 10}] * 4, prefer=prefer))
    new = words_of(singer.write(*[{"syllables": 10}] * 4, prefer=prefer, modern=True))
    assert [word for word in old if is_archaic(word)]
    assert not [word for word in new if is_archaic(word)]


@pytest.mark.parametrize(
    ("word", "archaic"),
    [
        *[(word, True) for word in ("thou", "o'er", "heav'n", "lov'd", "loveth", "goeth", "ne'er")],
        *[(word, False) for word in ("i've", "he'd", "don't", "teeth", "twentieth", "o'clock")],
        *[(word, False) for word in ("king's", "lovers'", "elizabeth", "beneath", "best")],
    ],
)
def test_archaic_words_are_told_by_a_list_and_by_their_spelling(word: str, archaic: bool) -> None:
    assert is_archaic(word) == archaic


def test_keywords_occur_or_a_strict_poem_is_none(singer: Poet) -> None:
    poem = singer.write(form="haiku", keywords=["moon", "Golden"])
    assert {"moon", "golden"} <= set(words_of(poem))
    assert poem.missing_keywords == ()
    many = ["moon", "golden", "river", "light", "roses", "night", "father", "sweet", "summer"]
    with pytest.raises(CompositionError, match=r"keywords that are left, .*river") as raised:
        singer.write({"syllables": 4}, keywords=many)
    assert raised.value.partial.lines == ()
    spared = singer.write({"syllables": 4}, keywords=many, strict=False)
    assert set(spared.missing_keywords) == set(many) - set(words_of(spared))
    assert spared.lines[0].relaxed == ("keywords",)


def test_a_keyword_in_a_given_line_need_not_come_again(singer: Poet) -> None:
    poem = singer.write({"syllables": 3}, {"text": "The moon."}, keywords=["moon"])
    assert poem.missing_keywords == ()
    assert "moon" not in words_of(poem)[:-2]


@pytest.mark.parametrize("asked", [{"title": "The Sea"}, {"subject": ["Sea"]}, {"prefer": NEAR}])
def test_words_near_the_subject_come_more_often(asked: dict[str, Any], singer: Poet) -> None:
    def share(**fields: Any) -> int:
        poems = [singer.write(*[{"syllables": 24}] * 3, seed=seed, **fields) for seed in range(6)]
        return sum(word in NEAR for poem in poems for word in words_of(poem))

    other = {"title": "The Oak"} if "title" in asked else {}
    assert share(**asked) > 2 * share(**other) + 5


def test_alternatives_keep_the_form_and_are_others(singer: Poet) -> None:
    lines = [{"rhyme": "A", "metre": TETRAMETER}] * 2
    poem = singer.write(*lines, alternatives=3, particles=16)
    for number, line in enumerate(poem.lines):
        assert len(set(line.alternatives) | {line.text}) == len(line.alternatives) + 1
        assert len(line.alternatives) >= 1
        for each in line.alternatives:
            texts = [other.text for other in poem.lines]
            texts[number] = each
            given = [{**spec, "text": text} for spec, text in zip(lines, texts, strict=True)]
            assert singer.report(*given).ok
    assert singer.write(*lines, particles=16).lines[0].alternatives == ()


# What cannot be kept


def test_a_strict_poem_is_refused_with_the_lines_that_there_are(
    singer: Poet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poem_writing, "TRIES", 0)
    with pytest.raises(CompositionError) as raised:
        singer.write({"text": "One line."}, {"metre": TRIMETER, "rhyme": "A"})
    reason = f"no line keeps rhyme A, metre {TRIMETER}: 0 were begun"
    assert (raised.value.reason, str(raised.value)) == (reason, f"line 2: {reason}")
    assert raised.value.partial.text == "One line.\n"


def test_best_effort_gives_up_metre_then_syllables_then_rhyme_and_says_so(singer: Poet) -> None:
    rhymed = {"rhyme": "A", "metre": TETRAMETER}
    orange = singer.report({"rhyme": "A", "text": "The orange"}, rhymed, strict=False)
    assert orange.relaxed == ("line 2: metre", "line 2: syllables", "line 2: rhyme")
    assert not orange.ok
    fits_no_metre = singer.write(
        {"metre": "x/x/", "start": "Garden"},
        {"metre": "x/", "end": "the golden"},
        strict=False,
    )
    assert [line.relaxed for line in fits_no_metre.lines] == [("metre",), ("metre", "syllables")]
    assert singer.report(rhymed, rhymed, strict=False).relaxed == ()


def test_best_effort_at_the_most_syllables_has_room(singer: Poet) -> None:
    lines: list[Line] = [{"rhyme": "A", "text": "The orange"}, {"rhyme": "A", "syllables": 30}]
    assert singer.write(*lines, strict=False).lines[1].relaxed == ("syllables", "rhyme")
