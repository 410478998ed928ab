"""`strophe write`: poems at the terminal, as JSON, with a report, and what is wrong in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from verse_voices import anthology_words

from model import checkpoint as checkpoints
from model.checkpoint import LoadedCheckpoint
from model.extra_files import WORDS
from verse.__main__ import main

# More syllables than a haiku has.
TOO_MANY = "summer golden river roses father morning evening mother silver".split()  # noqa: SIM905
Write = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(
    tiny: LoadedCheckpoint, anthology: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("voices") / "tiny"
    checkpoints.save(tiny, folder)
    words = anthology_words(anthology).serialized
    checkpoints.add_file(folder, WORDS, words, facts={}, card=tiny.card)
    return folder


@pytest.fixture
def write(folder: Path, capsys: pytest.CaptureFixture[str]) -> Write:
    def run(*flags: str) -> tuple[int, str, str]:
        code = main(
            ["write", "--checkpoint", str(folder), "--particles", "8", "--seed", "7", *flags]
        )
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_poem_is_printed_and_its_seed_told(write: Write) -> None:
    code, out, err = write("--form", "common-metre")
    assert (code, err) == (0, "seed 7\n")
    assert [len(stanza.split("\n")) for stanza in out.strip().split("\n\n")] == [4, 4]
    assert write("--form", "common-metre")[1] == out


def test_json_has_text_seed_and_report(write: Write) -> None:
    code, out, _ = write("--form", "haiku", "--json")
    poem = json.loads(out)
    assert code == 0
    assert poem["seed"] == poem["report"]["seed"] == 7
    assert poem["report"]["ok"]
    assert [line["text"] for line in poem["report"]["lines"]] == poem["text"].split("\n")[:-1]
    assert all(line["fluency"] > 0 for line in poem["report"]["lines"])
    assert poem["text"] == write("--form", "haiku")[1]


def test_report_and_alternatives_follow_the_lines(write: Write) -> None:
    _, out, _ = write("--form", "quatrain-aabb", "--report", "--alternatives", "2")
    assert out.count("    or  ") >= 4
    assert "Keeps quatrain-aabb." in out


def test_options_for_words_reach_the_poem(write: Write) -> None:
    _, out, _ = write("--form", "acrostic", "--word", "Sun", "--keywords", "moon", "--modern")
    assert "".join(line[0] for line in out.strip().split("\n")).lower() == "sun"
    assert "moon" in out.lower()


@pytest.mark.parametrize(
    ("flags", "code", "error"),
    [
        (["--form", "sonata"], 2, "error: form: one of haiku"),
        (["--form", "haiku", "--keywords", "xyzzy"], 2, "error: keywords: 'xyzzy' is no word"),
        (["--form", "haiku", "--particles", "1"], 2, "error: particles: "),
        ([], 2, "error: form or spec: give one of them"),
        (
            ["--form", "haiku", "--keywords", *TOO_MANY],
            1,
            "error: line ",
        ),
    ],
)
def test_what_cannot_be_is_one_line_and_an_exit_code(
    flags: list[str], code: int, error: str, write: Write
) -> None:
    found, _, err = write(*flags)
    assert found == code
    assert err.startswith(error)
    assert err.count("\n") == 1


def test_a_form_of_ones_own_comes_from_a_file(write: Write, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(
        json.dumps({"stanzas": [[{"text": "The orange", "rhyme": "A"}, {"rhyme": "A"}]]})
    )
    code, _, err = write("--spec", str(spec))
    assert (code, "must rhyme with 'orange'" in err) == (2, True)
    code, out, _ = write("--spec", str(spec), "--best-effort", "--json")
    assert code == 0
    assert json.loads(out)["report"]["relaxed"] == ["line 2: rhyme"]
