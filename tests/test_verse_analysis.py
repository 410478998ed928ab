"""Analysis of a user's own text as verse, and `python -m verse check`."""

import io
import json
from pathlib import Path

import pytest
from test_verse_verifier import SONNET

from verse.__main__ import main
from verse.analysis import LETTERS, UNRHYMED, analyse, recognise

HYMN = """Amazing grace! how sweet the sound
That saved a wretch like me!
I once was lost, but now am found,
Was blind, but now I see.

Through many dangers, toils and snares,
I have already come;
'Tis grace hath brought me free of cares,
And grace will lead me home."""


def test_rhyme_letters_are_found_and_stanzas_parted() -> None:
    assert analyse(SONNET).scheme == "ABABCDCDEFEFGG"
    assert analyse(HYMN).scheme == "ABAB C-C-"


def test_stanzas_by_themselves_are_read_as_if_each_was_the_text() -> None:
    found = analyse(HYMN, by_stanza=True)
    alone = [analyse(stanza) for stanza in HYMN.split("\n\n")]
    assert found.scheme == " ".join(each.scheme for each in alone) == "ABAB A-A-"
    lines = [line for each in alone for line in each.lines]
    assert [(line.rhyme, line.syllables) for line in found.lines] == [
        (line.rhyme, line.syllables) for line in lines
    ]
    assert [line.number for line in found.lines] == list(range(1, 9))
    assert found.recognition is None


def test_a_line_has_its_likeliest_number_of_syllables_and_its_marks() -> None:
    first = analyse(SONNET).lines[0]
    assert first.syllables == (10,)
    assert first.marks == ("x", "x", "x/", "x", "x", "x", "/x", "/")


def test_words_that_are_not_known_are_named_once() -> None:
    assert analyse("brillig 7\nBrillig day").unknown_words == ("brillig", "7", "Brillig")


@pytest.mark.parametrize(
    ("text", "form", "confidence"),
    [
        (SONNET, "sonnet", "sure"),
        (HYMN, "common-metre", "sure"),
        ("An old silent pond\nA frog jumps into the pond\nSplash! silence again", "haiku", "sure"),
    ],
)
def test_a_form_is_recognised_and_how_surely(text: str, form: str, confidence: str) -> None:
    found = recognise(text)
    assert found is not None
    assert (found.form, found.confidence) == (form, confidence)


@pytest.mark.parametrize("text", ["", "One line", "It was the best\nof times, it was\nthe worst"])
def test_what_has_no_form_is_not_given_one(text: str) -> None:
    assert recognise(text) is None


def test_a_scheme_of_many_rhymes_goes_on_with_small_letters() -> None:
    ends = [("night", "light"), ("sea", "free"), ("go", "slow"), ("air", "fair"), ("you", "two")]
    blank = [str(number) for number in range(14)]  # out of hearing of the next pair
    stanzas = ["\n".join([*pair, *blank]) for pair in ends * 6]
    scheme = analyse("\n".join(stanzas)).scheme.replace(UNRHYMED, "")
    assert scheme == "".join(2 * letter for letter in LETTERS[:30])


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["check", *args])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def sonnet(tmp_path: Path) -> str:
    path = tmp_path / "sonnet.txt"
    path.write_text(SONNET, encoding="utf-8")
    return str(path)


def test_a_kept_form_is_exit_code_0_and_a_broken_one_1(
    sonnet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, sonnet, "--form", "sonnet")[:2][0] == 0
    code, out, _ = run(capsys, sonnet, "--form", "haiku")
    assert code == 1
    assert "the poem has 14 lines, and the form 3" in out


def test_without_a_form_the_poem_is_looked_at(
    sonnet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, sonnet, "--marks")
    assert code == 0
    assert out.startswith("This is the form sonnet:")
    assert "Rhymes: ABABCDCDEFEFGG" in out


def test_a_report_and_an_analysis_are_printed_as_json(
    sonnet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(run(capsys, sonnet, "--form", "sonnet", "--json")[1])["form"] == "sonnet"
    assert json.loads(run(capsys, sonnet, "--json")[1])["scheme"] == "ABABCDCDEFEFGG"


def test_a_form_of_one_s_own_is_read_from_json(
    sonnet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "form.json"
    spec.write_text('{"stanzas": [[{"start": "Shall I"}]]}', encoding="utf-8")
    assert "the poem has 14 lines" in run(capsys, sonnet, "--spec", str(spec))[1]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--form", "sonet"], "error: form: one of haiku, "),
        (["--form", "acrostic"], "error: word: an acrostic needs the word"),
        (["--word", "sea"], "error: word: only with --form acrostic or --form ghazal"),
        (["--spec", "{"], "is not JSON at line 1"),
        (["--spec", '{"stanzas": []}'], "error: stanzas: "),
    ],
)
def test_an_error_names_the_field_in_one_line_with_exit_code_2(
    sonnet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], told: str
) -> None:
    if args[0] == "--spec":
        path = tmp_path / "form.json"
        path.write_text(args[1], encoding="utf-8")
        args = ["--spec", str(path)]
    code, _, err = run(capsys, sonnet, *args)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("raw", "told"), [(b" \n", "is empty"), (b"\xff", "is not UTF-8 at byte 0")]
)
def test_a_poem_that_cannot_be_read_is_refused(
    raw: bytes, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    code, _, err = run(capsys, "-")
    assert code == 2
    assert f"error: poem: - {told}" in err
