"""Texts become ids on disk: what was split, dropped, counted and kept."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from model.tokenizer import BOS_ID, UNK_ID
from model.tokenizer_training import train_tokenizer
from training.data.corpus import (
    MANIFEST,
    Corpus,
    changed_sources,
    is_prepared,
    load_corpus,
    prepare,
)
from training.data.corpus_options import CorpusOptions
from training.training_errors import CorpusError


def poems(count: int) -> list[str]:
    return [f"Poem {i}\n\nThe {i} moons of June\nAre {i * i} too soon" for i in range(count)]


def prepared(tmp_path: Path, text: str, **options: object) -> Corpus:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return prepare([str(path)], tmp_path / "data", CorpusOptions.model_validate(options))


def documents_of(corpus: Corpus, part: str) -> list[str]:
    text = corpus.tokenizer
    ids = np.asarray(corpus.train if part == "train" else corpus.valid)
    pieces = np.split(ids, np.flatnonzero(ids == BOS_ID))
    return [text.decode(piece.tolist()) for piece in pieces if len(piece) > 1]


def test_every_document_is_in_one_part_and_reads_back(tmp_path: Path) -> None:
    texts = poems(200)
    corpus = prepared(tmp_path, "\n\n\n".join(texts), character_coverage=1)
    train, valid = documents_of(corpus, "train"), documents_of(corpus, "valid")
    assert sorted(train + valid) == sorted(texts)
    assert not set(train) & set(valid)
    assert 5 <= len(valid) <= 40


def test_both_parts_open_and_end_with_the_document_symbol(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(50)))
    for ids in (corpus.train, corpus.valid):
        assert ids[0] == ids[-1] == BOS_ID


def test_a_document_stays_on_its_side_when_the_corpus_grows(tmp_path: Path) -> None:
    small = prepared(tmp_path, "\n\n\n".join(poems(60)), character_coverage=1)
    before = set(documents_of(small, "valid"))
    large = prepared(tmp_path, "\n\n\n".join(poems(200)), character_coverage=1)
    assert before <= set(documents_of(large, "valid"))


def test_duplicates_are_left_out_and_counted(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(30) * 3))
    assert corpus.manifest.duplicate_documents == 60
    assert corpus.manifest.train.documents + corpus.manifest.valid.documents == 30


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_handful_of_documents_still_splits(tmp_path: Path, count: int) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(count)), valid_fraction=0.001)
    assert corpus.manifest.valid.documents == 1
    assert corpus.manifest.train.documents == count - 1


def test_the_contiguous_split_cuts_at_the_character(tmp_path: Path) -> None:
    text = "".join(f"{i} bottles\n\n\n" for i in range(1000))
    corpus = prepared(tmp_path, text, split="contiguous", character_coverage=1)
    cut = int(len(text) * 0.9)
    assert corpus.tokenizer.decode(corpus.train.tolist()) == text[:cut]
    assert corpus.tokenizer.decode(corpus.valid.tolist()) == text[cut:]


def test_the_contiguous_split_cuts_texts_of_several_segments(tmp_path: Path) -> None:
    text = "".join(f"line {i} \u00e9\n" for i in range(250_000))
    corpus = prepared(tmp_path, text, split="contiguous", valid_fraction=0.5)
    assert corpus.manifest.train.characters == int(len(text) * 0.5)
    assert corpus.tokenizer.decode(corpus.valid[:40].tolist()) in text


def test_texts_to_validate_on_may_be_given(tmp_path: Path) -> None:
    for name, texts in (("train.txt", poems(10)), ("valid.txt", poems(12))):
        (tmp_path / name).write_text("\n\n\n".join(texts), encoding="utf-8")
    options = CorpusOptions(character_coverage=1)
    files = [str(tmp_path / "train.txt")], [str(tmp_path / "valid.txt")]
    corpus = prepare(files[0], tmp_path / "data", options, valid_names=files[1])
    assert documents_of(corpus, "train") == poems(10)
    assert documents_of(corpus, "valid") == poems(12)[10:]  # the others are in train already


def test_rare_characters_become_unknown_and_are_counted(tmp_path: Path) -> None:
    text = "\n\n\n".join([*poems(300), "one \u2603 in the snow"])
    corpus = prepared(tmp_path, text)
    facts = corpus.manifest
    assert not corpus.tokenizer.knows("\u2603")
    assert facts.train.unknown_tokens + facts.valid.unknown_tokens >= 1
    ids = np.concatenate([corpus.train, corpus.valid])
    assert np.count_nonzero(ids == UNK_ID) == (
        facts.train.unknown_tokens + facts.valid.unknown_tokens
    )


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_subword_vocabularies_have_the_size_that_was_asked(tmp_path: Path, kind: str) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(200)), tokenizer=kind, vocab_size=320)
    assert corpus.tokenizer.vocab_size == 320
    assert documents_of(corpus, "valid")[0] in poems(200)


def test_a_given_tokenizer_is_kept_and_gets_the_characters_that_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\n\n\n".join(poems(20)), encoding="utf-8")
    tokenizer = train_tokenizer(["Poem the moons of June are too soon 0123\n"])
    corpus = prepare([str(path)], tmp_path / "data", CorpusOptions(), tokenizer=tokenizer)
    assert corpus.tokenizer.serialized.startswith(tokenizer.serialized)
    assert corpus.tokenizer.vocab_size > tokenizer.vocab_size
    assert corpus.manifest.train.unknown_tokens == 0


def test_the_manifest_counts_what_is_on_disk(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(40)))
    for part in ("train", "valid"):
        facts = getattr(corpus.manifest, part)
        assert facts.tokens == facts.characters + facts.documents + 1
        assert (tmp_path / "data" / f"{part}.bin").stat().st_size == 2 * facts.tokens


def test_more_than_65536_tokens_take_four_bytes_each(tmp_path: Path) -> None:
    letters = "".join(map(chr, range(0x4E00, 0x9FA6))) + "".join(map(chr, range(0x20000, 0x2A6D7)))
    texts = [f"{n}\n{letters}" for n in range(3)]
    corpus = prepared(tmp_path, "\n\n\n".join(texts), character_coverage=1)
    assert corpus.train.dtype == np.dtype("<u4") if corpus.tokenizer.vocab_size > 65_536 else True
    assert sorted(documents_of(corpus, "train") + documents_of(corpus, "valid")) == texts


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "text.txt: is empty"),
        (" \n\u00a0\n\u200b\t\n\ufeff", {}, "no text"),
        (" \n\u00a0\n", {"split": "contiguous"}, "no text"),
        ("only one poem\n\nof two stanzas", {}, "--split contiguous"),
        ("x", {"split": "contiguous"}, "too small to split"),
        ("\n\n\n\n", {}, "no text"),
        (
            "a b\n\n\nc d",
            {"tokenizer": "bpe"},
            "no bpe vocabulary of 1,024 .*enough for 26. at most",
        ),
    ],
)
def test_what_cannot_be_prepared_is_an_error_and_leaves_nothing(
    tmp_path: Path, text: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        prepared(tmp_path, text, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.parametrize(
    ("text", "separator", "message"),
    [
        ("\n\n\n".join(["the sea"] * 500), "\n\n\n", "its 500 documents are all the same one"),
        ("\n\n\n".join(["the sea"] * 500), "\n\n\n", r"of 7 characters \(499 left out"),
        ("\n\n".join(poems(4)), "\n\n\n", "one document of 174 characters, parted nowhere"),
        ("\n\n".join(poems(4)), "\n\n\n", "7 single blank lines: .*-separator '.n.n'"),
        ("\n \n".join(poems(4)), "\n\n\n", "7 single blank lines: .*-separator '.n.n'"),
        ("\n---\n".join("abc"), "\n\n\n", "2 lines '---': .*-separator '.n---.n'"),
        ("a\n* * *\nb", "\n%%\n", r"1 line '\* \* \*': .*-separator '.n\* \* \*.n'"),
    ],
)
def test_a_text_of_one_document_is_told_what_may_part_it(
    tmp_path: Path, text: str, separator: str, message: str
) -> None:
    with pytest.raises(CorpusError, match=f"too small to split: .*{message}.*--split contiguous"):
        prepared(tmp_path, text, document_separator=separator)


def test_a_separator_that_is_named_as_the_error_says_parts_the_text(tmp_path: Path) -> None:
    text = "\n \n* * *\n\n".join(poem.replace("\n\n", "\n") for poem in poems(4))
    with pytest.raises(CorpusError) as refused:
        prepared(tmp_path, text, document_separator="\n\n\n")
    separators = re.findall("--document-separator '(.*?)'", str(refused.value))
    assert separators == [r"\n\n", r"\n* * *\n"]
    for separator in separators:
        corpus = prepared(tmp_path, text, document_separator=separator.replace(r"\n", "\n"))
        assert corpus.manifest.train.documents + corpus.manifest.valid.documents >= 4


def test_a_prepared_folder_is_recognised_and_loads_the_same(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(20)))
    assert is_prepared(str(tmp_path / "data"))
    assert not is_prepared(str(tmp_path))
    again = load_corpus(tmp_path / "data")
    assert again.manifest == corpus.manifest
    assert np.array_equal(again.train, corpus.train)


@pytest.mark.parametrize("damage", ["short", "json", "format"])
def test_a_damaged_prepared_folder_is_an_error(tmp_path: Path, damage: str) -> None:
    prepared(tmp_path, "\n\n\n".join(poems(20)))
    manifest = tmp_path / "data" / MANIFEST
    if damage == "short":
        (tmp_path / "data" / "train.bin").write_bytes(b"\0\0" * 10)
    elif damage == "json":
        manifest.write_text("{", encoding="utf-8")
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 9}))
    with pytest.raises(CorpusError, match="data"):
        load_corpus(tmp_path / "data")


def test_a_changed_source_is_noticed(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, "\n\n\n".join(poems(20)))
    assert list(changed_sources(corpus.manifest)) == []
    (tmp_path / "text.txt").write_text("something else", encoding="utf-8")
    assert list(changed_sources(corpus.manifest)) == [str(tmp_path / "text.txt")]
