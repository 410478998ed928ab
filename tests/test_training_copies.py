"""The command `copies` and the checker `copied`, from texts to a verdict."""

from pathlib import Path

import pytest
from training_runs import arguments, refusal

import model.__main__
from model import checkpoint as checkpoints
from model.extra_files import COPIES
from training.__main__ import main
from training.data.corpus_options import CorpusOptions
from training.data.document_reader import read_texts


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, with a run of a network on it that was given an index."""
    from training_runs import small_corpus

    corpus = small_corpus(tmp_path_factory.mktemp("run"))
    assert main(arguments(corpus, "one", steps=3)) == 0
    folder = corpus.parent / "checkpoints" / "one"
    before = checkpoints.load(folder)
    assert before.copy_index is None
    assert main(["copies", "--checkpoint", str(folder), "--corpus", str(corpus)]) == 0
    after = checkpoints.load(folder)
    assert after.copy_index is not None
    assert after.description.provenance["documents indexed"] == after.copy_index.documents
    assert "copies.bin from corpus sha256" not in after.description.provenance
    assert after.word_list is not None  # what was there stays
    assert f"| documents indexed | {after.copy_index.documents} |" in after.card
    return corpus


def copied(trained: Path, text: str, *flags: str) -> int:
    poem = trained.parent / "poem.txt"
    poem.write_text(text, encoding="utf-8")
    folder = trained.parent / "checkpoints" / "one"
    command = ["copied", "--checkpoint", str(folder), str(poem), *flags]
    return model.__main__.main(command)


def test_a_stanza_of_the_training_text_is_rejected_with_its_place(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = checkpoints.load(trained.parent / "checkpoints" / "one").copy_index
    assert index is not None
    trained_on = 0
    for number, document in enumerate(read_texts([str(trained)], CorpusOptions()), 1):
        lines = document.split("\n")
        whole = index.longest_run(document)
        if whole is None or whole.end - whole.start < len(document) // 2:
            continue  # held out for validation
        trained_on += 1
        stanza = "\n".join(lines[2:7])
        run = index.longest_run(stanza)
        assert run is not None
        assert (run.document, run.line, run.title) == (number, 3, lines[0])
        assert copied(trained, stanza) == 1
        shown = capsys.readouterr().out
        assert f"poems.txt, document {number}, line 3 ({lines[0]})" in shown
        assert shown.endswith("rejected; only verbatim copies are looked for\n")
    assert trained_on == index.documents


def test_a_text_of_ones_own_is_clear_and_limits_can_be_switched(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "Quick zebras jog by vexed lynx of Kyiv, twelve quartz sphinx\n"
    assert copied(trained, own) == 0
    assert "clear; only verbatim" in capsys.readouterr().out
    stanza = "\n".join(next(iter(read_texts([str(trained)], CorpusOptions()))).split("\n")[2:6])
    off = ("--reject-characters", "0", "--reject-words", "0")
    assert copied(trained, stanza * 2, *off) == 0
    assert copied(trained, own, "--flag-characters", "-1") == 2
    assert "flag_characters: " in capsys.readouterr().err


def test_a_checkpoint_without_an_index_says_how_to_make_one(
    trained: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["copied", "--checkpoint", str(tiny_checkpoint), str(trained)]
    assert model.__main__.main(command) == 2
    assert "has no copy index; make one with: strophe copies" in capsys.readouterr().err


def test_one_long_text_is_one_document(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = corpus.parent / "tiny"
    checkpoints.save(checkpoints.load(tiny_checkpoint), folder)
    command = ["copies", "--checkpoint", str(folder), "--corpus", str(corpus)]
    assert main([*command, "--split", "contiguous"]) == 0
    assert "not the text that it was trained on" in capsys.readouterr().err
    loaded = checkpoints.load(folder)
    assert loaded.copy_index is not None
    lines = corpus.read_text().split("\n")
    run = loaded.copy_index.longest_run("\n".join(lines[99:105]))
    assert run is not None
    assert (run.document, run.line) == (1, next(n for n in range(100, 106) if lines[n - 1]))


def test_a_damaged_checkpoint_is_left_as_it_is(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = corpus.parent / "tiny"
    checkpoints.save(checkpoints.load(tiny_checkpoint), folder)
    (folder / "tokenizer.model").write_bytes(b"")
    command = ["copies", "--checkpoint", str(folder), "--corpus", str(corpus)]
    assert "tokenizer.model" in refusal(capsys, command)
    assert not (folder / COPIES).exists()
