"""Verifier of finished verse: what it accepts, what it refuses, and what that rests on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verse.forms import LineSpec, PoemSpec
from verse.presets import preset
from verse.report import Check, CheckKind, Report
from verse.report_text import report_text
from verse.verifier import verify

SONNET = """Shall I compare thee to a summer's day?
Thou art more lovely and more calm of weight:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date;
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimm'd;
And every fair from fair sometime declines,
By chance or nature's changing course untrimm'd;
But thy eternal summer shall not fade,
Nor lose possession of that fair thou ow'st;
Nor shall death brag thou wander'st in his shade,
When in eternal lines to time thou grow'st:
So long as men can breathe or eyes can see,
So long lives this, and this gives life to thee."""


def poem(*lines: LineSpec) -> PoemSpec:
    return PoemSpec(stanzas=(lines,))


def check(report: Report, number: int, kind: CheckKind) -> Check:
    [found] = [check for check in report.lines[number - 1].checks if check.kind == kind]
    return found


def only(line: str, kind: CheckKind, **wanted: object) -> Check:
    """One check of a line by itself."""
    return check(verify(line, poem(LineSpec.model_validate(wanted))), 1, kind)


def rhyme_of(one: str, other: str) -> Check:
    spec = poem(LineSpec(rhyme="A"), LineSpec(rhyme="A"))
    return check(verify(f"{one}\n{other}", spec), 2, "rhyme")


def test_a_sonnet_that_keeps_its_form_is_accepted() -> None:
    report = verify(SONNET, preset("sonnet"))
    assert report.faults == ()
    assert report.ok
    assert {check.ok for check in report.checks} == {True}


def test_a_title_before_the_poem_is_no_line() -> None:
    assert verify(f"SONNET XVIII\n\n{SONNET}", preset("sonnet")).ok


@pytest.mark.parametrize("keep", [1, 13])
def test_missing_lines_are_told_and_the_others_checked(keep: int) -> None:
    report = verify("\n".join(SONNET.split("\n")[:keep]), preset("sonnet"))
    assert len(report.lines) == keep
    assert [(number, fault.kind) for number, fault in report.faults] == [(None, "lines")]


@pytest.mark.parametrize(
    ("text", "wanted", "found", "ok", "source"),
    [
        ("The sea at night", 4, "4", True, "dictionary"),
        ("The fire of heaven", 5, "5", True, "dictionary"),
        ("The fire of heaven", 4, "4", True, "rule"),
        ("The fire of heaven", 3, "4", False, "dictionary"),
        ("A heaven above", 4, "4", True, "rule"),
        ("To excite the untrampled", 5, "5", True, "rule"),
        ("O'er many a vale", 4, "4", True, "rule"),
        ("The wingèd night", 4, "4", True, "rule"),
        ("He forced to", 4, "3 (enough if -ed were a syllable in forced)", False, "dictionary"),
        ("Brillig at night", 4, "4", True, "guess"),
        ("Brillig at night", 7, "4", False, "guess"),
        ("In 1798 we sang", 4, "1798: not known", False, "unknown"),
        ("...", 4, "no words: not known", False, "unknown"),
    ],
)
def test_syllables_may_be_of_any_combination_of_readings(
    text: str, wanted: int, found: str, ok: bool, source: str
) -> None:
    result = only(text, "syllables", syllables=wanted)
    assert (result.found, result.ok, result.source) == (found, ok, source)


@pytest.mark.parametrize(
    ("text", "loose", "strict"),
    [
        ("The curfew tolls the knell of parting day", True, True),
        ("Shall I compare thee to a summer's day", True, True),
        ("Rough winds do shake the darling buds of May", True, False),
        ("Gather ye rosebuds while ye may, my love", True, True),
        ("And often is his gold complexion dimmed", True, True),
        ("I sing of arms; under the moon I walk", True, True),
        ("I sing of arms under the moon I walk", False, False),
        ("To be, or not to be: that is the question", True, True),
        ("Sometime too hot the eye of heaven shines", True, True),
        ("The garden delights in the winter of light", False, False),
    ],
)
def test_metre_is_kept_by_a_lenient_and_by_a_strict_rule(
    text: str, loose: bool, strict: bool
) -> None:
    report = verify(text, poem(LineSpec(metre="iambic pentameter")))
    kinds: tuple[CheckKind, CheckKind] = ("metre", "strict metre")
    assert [check(report, 1, kind).ok for kind in kinds] == [loose, strict]
    assert not check(report, 1, "strict metre").is_asked


def test_a_weak_syllable_beyond_the_last_beat_is_no_fault_of_a_metre_but_of_a_count() -> None:
    line = "To be, or not to be: that is the question"
    assert only(line, "syllables", metre="iambic pentameter").ok
    assert not only(line, "syllables", syllables=10).ok


@pytest.mark.parametrize(
    ("one", "other", "ok", "found", "source"),
    [
        ("by night", "in flight", True, "flight / night", "dictionary"),
        ("by night", "this knight", False, "knight / night: the same sound", "dictionary"),
        ("a light", "in delight", False, "delight / light: the same sound", "dictionary"),
        ("by Night", "the night", False, "night again", "text"),
        ("my love", "they move", False, "move / love: a near rhyme", "dictionary"),
        ("by night", "the sea", False, "sea / night: no rhyme", "dictionary"),
        ("the sea", "eternity", True, "eternity / sea, on a weak syllable", "dictionary"),
        ("the sea", "happy", False, "happy / sea: a near rhyme", "dictionary"),
        ("no less", "loveliness", True, "loveliness / less, on a weak syllable", "rule"),
        ("in spring", "wandering", True, "wandering / spring, on a weak syllable", "dictionary"),
        ("may bleed us", "concede us", True, "us / us", "dictionary"),
        ("may teach us", "concede us", False, "us again", "text"),
        ("the willow", "a pillow", True, "pillow / willow", "dictionary"),
        ("admir'd", "acquir'd", True, "acquir'd / admir'd", "rule"),
        ("the flow'r", "an hour", True, "hour / flow'r", "rule"),
        ("I hear", "drear", True, "drear / hear", "rule"),
        ("by night", "snight", True, "snight / night", "guess"),
        ("by night", "in 1798", False, "1798 / night: not known", "unknown"),
    ],
)
def test_lines_of_one_letter_rhyme(one: str, other: str, ok: bool, found: str, source: str) -> None:
    result = rhyme_of(one, other)
    assert (result.ok, result.found, result.source) == (ok, found, source)


def test_lines_of_two_letters_do_not_rhyme() -> None:
    lines = poem(LineSpec(rhyme="A"), LineSpec(rhyme="B"))
    told = check(verify("by night\nin flight", lines), 2, "distinct rhyme")
    assert (told.ok, told.found) == (False, "rhymes with line 1: flight / night")
    assert check(verify("by night\nthe sea", lines), 2, "distinct rhyme").ok


def test_the_word_before_a_tail_bears_the_rhyme() -> None:
    tailed = LineSpec(rhyme="A", tail="tonight")
    report = verify("I see the light tonight\nIt is so bright, tonight!", poem(tailed, tailed))
    assert report.ok
    assert check(report, 2, "rhyme").found == "bright / light"


def test_a_refrain_says_its_line_again_whatever_its_marks() -> None:
    spec = poem(LineSpec(rhyme="A"), LineSpec(refrain=1, rhyme="A"))
    assert verify("O sea of night,\no sea of night!", spec).ok
    assert not check(verify("O sea of night,\nO sea of light!", spec), 2, "refrain").ok


@pytest.mark.parametrize(
    ("kind", "wanted", "right", "wrong"),
    [
        ("start", {"start": "O my"}, "O my luve", "Omy luve"),
        ("start", {"start": "--"}, "--and the sea", "and the sea"),
        ("start", {"start": "床前"}, "床前明月光", "前明月光"),
        ("end", {"end": "月光"}, "床前明月光\u3002", "床前明月"),
        ("end", {"end": "the sea"}, "Down to the sea.", "Down to the seas"),
        ("acrostic", {"acrostic": "É"}, "“étude", "etude"),
        ("text", {"text": "The sea."}, " The sea. ", "The sea"),
        ("characters", {"characters": 5}, "床前明月光\uff0c", "床前明月"),
        ("characters", {"characters": [3, 4]}, "a, b c!", "a b"),
    ],
)
def test_letters_and_words_are_looked_at(
    kind: CheckKind, wanted: dict[str, object], right: str, wrong: str
) -> None:
    assert only(right, kind, **wanted).ok
    told = only(wrong, kind, **wanted)
    assert not told.ok
    assert told.source == "text"


@pytest.mark.parametrize(
    ("text", "ok", "source"),
    [("The sea", True, "dictionary"), ("brillig", False, "guess"), ("1798", False, "unknown")],
)
def test_words_are_known_or_named(text: str, ok: bool, source: str) -> None:
    told = only(text, "words")
    assert (told.ok, told.source, told.is_asked) == (ok, source, False)


@pytest.mark.parametrize(("end", "ok"), [(".", True), ("?\u2019", True), (",", False), ("", False)])
def test_how_the_poem_ends_is_told(end: str, ok: bool) -> None:
    [close] = [c for c in verify(f"The sea{end}", poem(LineSpec())).checks if c.kind == "close"]
    assert (close.ok, close.is_asked) == (ok, False)


def test_a_line_shows_its_scansion_by_the_reading_that_fits() -> None:
    [line] = verify("The fire of heaven", poem(LineSpec(metre="x/x/x"))).lines
    assert (line.marks, line.syllables[0]) == (("x", "/", "x", "/x"), 5)


def test_a_report_is_json_and_leaves_out_what_was_not_measured() -> None:
    fields = verify(SONNET, preset("sonnet")).to_dict()
    assert json.loads(json.dumps(fields))["ok"] is True
    assert "seed" not in fields
    assert "fluency" not in fields


def test_the_report_in_words_names_each_fault() -> None:
    text = SONNET.replace("summer's day", "summer night")
    told = report_text(verify(text, preset("sonnet")), with_marks=True)
    assert told.startswith("Does not keep sonnet: ")
    assert "- May / night: no rhyme; the form wants that it rhymes with line 1" in told
    assert "Keeps sonnet." in report_text(verify(SONNET, preset("sonnet")))


@given(st.text(max_size=60))
def test_no_text_breaks_the_verifier(text: str) -> None:
    report = verify(text, preset("limerick"))
    assert report.ok is False
    assert json.dumps(report.to_dict())
    assert report_text(report, with_marks=True)
