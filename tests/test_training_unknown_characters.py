"""Unknown characters, and what a run says at its start of what it is about to learn."""

import json
import re
from pathlib import Path

import pytest
from training_runs import arguments, refusal, resuming

from model import checkpoint as checkpoints
from model.tokenizer_training import train_tokenizer
from training.__main__ import main
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions
from training.data.corpus_report import corpus_lines, first_document
from training.data.unknown_characters import commonest_unknown, unknown_in_words
from training.data.vocabulary import CharacterCounts

HEBREW = "\n\n\n".join(
    f"\u05e9\u05dc\u05d5\u05dd {i}\n\u05d2\u05dc \u05db\u05d7\u05d5\u05dc" for i in range(100)
)
INHERITED = {"embedding_size": None, "hidden_size": None}


@pytest.fixture
def hebrew(tmp_path: Path) -> Path:
    path = tmp_path / "hebrew.txt"
    path.write_text(HEBREW, encoding="utf-8")
    return path


def said(capsys: pytest.CaptureFixture[str], args: list[str]) -> str:
    capsys.readouterr()
    assert main(args) == 0
    return capsys.readouterr().err


def test_the_commonest_unknown_characters_are_counted() -> None:
    counts = CharacterCounts()
    counts.add("abcabc" + "\u05e9" * 1_200 + "\u200b" * 3 + "\x00")
    found = commonest_unknown(counts, train_tokenizer(["abc"]))
    assert found == {"\u05e9": 1_200, "\u200b": 3, "\x00": 1}
    assert unknown_in_words(found) == (
        "'\u05e9' U+05E9 (1,200), '\\u200b' U+200B (3), '\\x00' U+0000 (1)"
    )
    by_bytes = train_tokenizer([HEBREW], kind="bpe", vocab_size=300)
    assert commonest_unknown(counts, by_bytes) == {}


def test_a_checkpoint_of_another_alphabet_is_widened(
    hebrew: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = arguments(hebrew, "one", steps=3, init_from=tiny_checkpoint, **INHERITED)
    assert main(args) == 0
    said = capsys.readouterr().err
    assert "characters that tiny does not have" in said
    assert "'\u05d5' U+05D5" in said
    assert checkpoints.load(hebrew.parent / "checkpoints" / "one").tokenizer.knows("\u05d5")


def test_a_text_to_validate_on_of_another_alphabet_is_refused(
    corpus: Path, hebrew: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = arguments(corpus, "one", steps=3, valid_corpus=hebrew, character_coverage=0.9)
    message = refusal(capsys, args)
    assert "% of the characters to validate on are not in the vocabulary" in message
    assert not (corpus.parent / "runs" / "one").exists()


def test_a_vocabulary_that_covers_too_little_is_refused_when_it_is_prepared(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--corpus", str(corpus), "--out", str(corpus.parent / "data")]
    message = refusal(capsys, ["prepare", *flags, "--character-coverage", "0.6"])
    assert "give a higher --character-coverage" in message
    assert not (corpus.parent / "data").exists()


def test_a_run_says_at_its_start_what_it_learns_and_what_it_takes(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = said(capsys, arguments(corpus, "one", steps=3, character_coverage=0.95))
    for line in (
        r"documents: \d+ to train on, \d+ to validate, \d+ duplicates left out",
        r"characters: 1\d,\d{3} to train on, [\d,]+ to validate, a vocabulary of \d\d",
        r"unknown characters: 4\.\d+ %, the commonest '.' U\+00[0-9A-F]{2} \(\d+\), '.' U",
        r"warning: 4\.\d+ % of the characters to train on are not in the vocabulary: '.' U\+00",
        r"first document, as it will be learned: '.+\\n.+'\.\.\.",
        r"parameters: [\d,]+; memory: about 0\.2\d* GB of the [\d.,]+ GB .+",
    ):
        assert re.search(f"^{line}", began, re.MULTILINE), line
    resumed = said(capsys, resuming(corpus, "one"))
    beginning = began[: began.index("\nstep ")].splitlines()[:-1]  # the memory there is changes
    assert resumed.splitlines()[: len(beginning)] == beginning


def test_a_prepared_corpus_is_described_as_a_run_would(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = corpus.parent / "data"
    described = said(capsys, ["prepare", "--corpus", str(corpus), "--out", str(data)])
    assert described.startswith("documents: ")
    assert said(capsys, arguments(data, "one", steps=3)).startswith(described)


def test_without_unknown_characters_nothing_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "poems.txt").write_text(HEBREW)
    options = CorpusOptions(character_coverage=1)
    made = prepare([str(tmp_path / "poems.txt")], tmp_path / "data", options)
    lines = list(corpus_lines([str(tmp_path)], made))
    assert "unknown characters: none" in lines
    assert not [line for line in lines if line.startswith("warning")]


@pytest.mark.parametrize(
    ("text", "options", "shown"),
    [
        ("one\ue000[31m\n\n\ntwo\ue001", {}, r"'(one\\ue000\[31m|two\\ue001)'"),
        ("a" * 900 + "\n\n\nb", {}, rf"('{'a' * 160}'\.\.\.|'b')"),
        ("a\n\n\nb" * 99, {"split": "contiguous"}, r"'a\\n\\n\\nba.*'\.\.\."),
        ("a b\n\n\n" + "c d e\n" * 90, {"tokenizer": "bpe", "vocab_size": 300}, "'.*"),
    ],
    ids=["escapes", "long", "contiguous", "bpe"],
)
def test_the_first_document_is_shown_as_its_ids_read(
    tmp_path: Path, text: str, options: dict[str, object], shown: str
) -> None:
    (tmp_path / "poems.txt").write_text(text)
    made = CorpusOptions.model_validate({"character_coverage": 1, **options})
    if "tokenizer" in options:
        text = "\n\n\n".join(f"the {i} seas\nand {i * i} skies" for i in range(99))
        (tmp_path / "poems.txt").write_text(text)
    corpus = prepare([str(tmp_path / "poems.txt")], tmp_path / "data", made)
    assert re.fullmatch(shown, first_document(corpus))


def test_few_documents_are_worth_a_word_of_what_may_part_them(tmp_path: Path) -> None:
    poems = "\n\n".join(f"the {i} seas\nand {i * i} skies" for i in range(9))
    (tmp_path / "poems.txt").write_text(f"{poems}\n\n\n{poems}.")
    corpus = prepare([str(tmp_path / "poems.txt")], tmp_path / "data", CorpusOptions())
    (line,) = (line for line in corpus_lines([], corpus) if line.startswith("only 2 documents"))
    assert "8 single blank lines: if poems end there, give --document-separator '\\n\\n'" in line


def test_evaluate_warns_of_a_few_and_refuses_many(
    corpus: Path, hebrew: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--json", "--corpus"]
    assert "give a text in the checkpoint's alphabet" in refusal(capsys, [*args, str(hebrew)])
    corpus.write_text(corpus.read_text() + "\u05e9" * 400)
    capsys.readouterr()
    assert main([*args, str(corpus)]) == 0
    out = capsys.readouterr()
    assert re.match(r"warning: 2\.\d\d % of the characters to evaluate .*'\u05e9' U\+05E9", out.err)
    assert json.loads(out.out)["unknown_tokens"] == 400
