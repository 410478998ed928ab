"""Preparing a corpus: what it may replace, what it may not read, and how much memory it takes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from model.errors import ModelError
from model.tokenizer import BOS_ID, TokenizerKind
from model.tokenizer_training import train_tokenizer
from training.__main__ import main
from training.data.corpus import MANIFEST, load_corpus, prepare
from training.data.corpus_options import CorpusOptions
from training.data.document_store import PIECE_BYTES
from training.training_errors import CorpusError

TEXT = "\n\n\n".join(f"Poem {i}\n\nThe {i} moons of June" for i in range(30))


@pytest.fixture
def poems(tmp_path: Path) -> str:
    (tmp_path / "poems.txt").write_text(TEXT, encoding="utf-8")
    return str(tmp_path / "poems.txt")


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path, poems: str) -> None:
    mine = tmp_path / "mine" / "novel.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(CorpusError, match="mine: holds something other"):
        prepare([poems], mine.parent, CorpusOptions())
    assert mine.read_text() == "years of work"


def test_an_empty_folder_and_a_prepared_one_are_replaced(tmp_path: Path, poems: str) -> None:
    (tmp_path / "data").mkdir()
    prepare([poems], tmp_path / "data", CorpusOptions())
    again = prepare([poems], tmp_path / "data", CorpusOptions(split="contiguous"))
    assert again.manifest.options.split == "contiguous"


def test_a_file_in_the_place_of_the_folder_is_one_line(
    tmp_path: Path, poems: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    assert main(["prepare", "--corpus", poems, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'out'}: Not a directory\n"


@pytest.mark.parametrize("side", ["corpus", "valid"])
def test_a_prepared_folder_is_not_text(tmp_path: Path, poems: str, side: str) -> None:
    prepare([poems], tmp_path / "data", CorpusOptions())
    data = str(tmp_path / "data")
    names, valid = ([poems, data], []) if side == "corpus" else ([poems], [data])
    with pytest.raises(CorpusError, match="a prepared corpus, not text"):
        prepare(names, tmp_path / "again", CorpusOptions(), valid_names=valid)


def test_standard_input_cannot_be_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    with pytest.raises(CorpusError, match="only once"):
        prepare(["-"], tmp_path / "data", CorpusOptions(), valid_names=["-"])


def test_texts_to_validate_on_that_are_all_in_the_corpus_are_refused_as_such(
    tmp_path: Path, poems: str
) -> None:
    with pytest.raises(CorpusError, match=r"valid_corpus: .* all of its documents .30. are in"):
        prepare([poems], tmp_path / "data", CorpusOptions(), valid_names=[poems])
    (tmp_path / "empty.txt").write_text("\n")
    empty = str(tmp_path / "empty.txt")
    with pytest.raises(CorpusError, match=r"valid_corpus: no text: .*empty.txt holds no"):
        prepare([poems], tmp_path / "data", CorpusOptions(), valid_names=[empty])


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.999])
def test_two_documents_split_whatever_the_fraction(tmp_path: Path, fraction: float) -> None:
    path = tmp_path / "two.txt"
    for number in range(20):
        path.write_text(f"One {number}\n\n\nTwo {number}")
        options = CorpusOptions(valid_fraction=fraction)
        facts = prepare([str(path)], tmp_path / "data", options).manifest
        assert facts.train.documents == facts.valid.documents == 1


def test_a_vocabulary_that_is_not_the_manifests_is_refused(tmp_path: Path, poems: str) -> None:
    prepare([poems], tmp_path / "data", CorpusOptions())
    manifest = tmp_path / "data" / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "vocabulary": 3}))
    with pytest.raises(ModelError, match="not the vocabulary"):
        load_corpus(tmp_path / "data")


@pytest.mark.parametrize("kind", ["char", "unigram", "bpe"])
def test_a_document_longer_than_a_piece_has_the_ids_of_the_whole(
    tmp_path: Path, anthology: str, kind: TokenizerKind
) -> None:
    tokenizer = train_tokenizer([anthology], kind=kind, vocab_size=400)
    once = anthology.replace("\n\n\n", "\n\n") + " \u00e9 \u4e00\u4e8c\n"
    epic = (once * (PIECE_BYTES // len(once) + 2)).strip("\n")
    path = tmp_path / "epic.txt"
    path.write_text(f"{epic}\n\n\nTwo", encoding="utf-8")
    options = CorpusOptions(valid_fraction=0.5)
    corpus = prepare([str(path)], tmp_path / "data", options, tokenizer=tokenizer)
    longer = max(corpus.train, corpus.valid, key=len)
    assert longer.tolist() == [BOS_ID, *tokenizer.encode(epic), BOS_ID]
    assert corpus.manifest.train.documents == corpus.manifest.valid.documents == 1


PEAK = """
import resource, sys
from pathlib import Path
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
prepare([sys.argv[1]], Path(sys.argv[2]), CorpusOptions())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("num_documents", [20_000, 2])
def test_memory_stays_near_the_longest_document(tmp_path: Path, num_documents: int) -> None:
    path = tmp_path / "big.txt"
    with path.open("w", encoding="utf-8") as file:
        for i in range(num_documents):
            line = f"The {i} moons of June are bright" + " and the nights are long" * 4 + "\n"
            file.write(f"Poem {i}\n\n" + line * (200_000 // num_documents) + "\n\n\n")
    command = [sys.executable, "-c", PEAK, str(path), str(tmp_path / "data")]
    grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(grown) * 1024 < 4 * path.stat().st_size
