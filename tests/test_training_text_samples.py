"""Text samples set side by side: reproducible, as long as was asked, cut alike."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.checkpoint import Checkpoint
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.errors import ModelError, ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, Tokenizer
from training.data.corpus import load_corpus, prepare
from training.data.corpus_options import CorpusOptions
from training.evaluation.comparison import BORDER, ComparisonOptions, compare, training_text_of
from training.evaluation.cross_entropy import evaluate_texts
from training.evaluation.text_samples import (
    decoded_texts,
    draw_documents,
    excerpts,
    generate_documents,
)
from training.evaluation.text_statistics import words

POEMS = ["The Moon\n\nis up", "The Sea\n\nis down and grey", "Rain"]


def written(checkpoint: Checkpoint, seed: int = 1, temperature: float = 1.0) -> list[str]:
    return generate_documents(
        checkpoint, characters=700, longest=200, temperature=temperature, seed=seed
    )


def test_what_is_written_is_as_long_as_asked_and_the_same_again(tiny: Checkpoint) -> None:
    texts = written(tiny)
    assert sum(map(len, texts)) == 700
    assert 1 <= min(map(len, texts)) <= max(map(len, texts)) <= 200
    assert written(tiny) == texts != written(tiny, seed=2)


def test_documents_are_those_that_the_plain_driver_writes(tiny: Checkpoint) -> None:
    decoder = decoder_of(tiny.network)
    for number, text in enumerate(written(tiny, seed=5)[:-1]):
        params = SamplingParams(max_tokens=200, min_tokens=1, temperature=1.0, seed=5 + number)
        pieces = generate(decoder, tiny.tokenizer, "", params)
        assert "".join(piece.text for piece in pieces) == text


def test_a_network_that_has_diverged_is_an_error(tiny: Checkpoint) -> None:
    weight = tiny.network.output.bias
    before = weight.clone()
    try:
        weight.data[2] = torch.nan
        with pytest.raises(ModelError, match="not finite"):
            written(tiny)
    finally:
        weight.data.copy_(before)


def test_documents_come_back_from_ids(tokenizer: Tokenizer) -> None:
    ids = [BOS_ID]
    for poem in POEMS:
        ids += [*tokenizer.encode(poem), BOS_ID]
    assert list(decoded_texts(tokenizer, np.array(ids), has_documents=True)) == POEMS
    whole = [BOS_ID, *tokenizer.encode("".join(POEMS))]
    pieces = decoded_texts(tokenizer, np.array(whole), has_documents=False)
    assert "".join(pieces) == "".join(POEMS)


def test_excerpts_begin_with_a_line(anthology: str) -> None:
    pieces = excerpts(anthology[:5000], 700)
    assert all(f"\n{piece}" in anthology for piece in pieces[1:])
    assert {len(piece) for piece in pieces[:-1]} == {700}
    assert excerpts("one long line", 4) == ["one "]
    assert excerpts("", 4) == []


def test_drawing_takes_every_document_once() -> None:
    drawn = draw_documents(POEMS, 1000, 500, seed=1)
    assert sorted(drawn) == sorted(POEMS)
    assert drawn == draw_documents(POEMS, 1000, 500, seed=1)
    assert any(draw_documents(POEMS, 1000, 500, seed=seed) != drawn for seed in range(2, 9))
    assert [len(part) for part in draw_documents(["abcdef"] * 3, 9, 5, seed=1)] == [5, 4]


def test_both_sides_are_of_one_length_and_the_training_text_is_all_copied(
    tiny: Checkpoint, anthology: str
) -> None:
    poems = anthology.split("\n\n\n")[:20]
    evaluated = evaluate_texts(tiny.network, tiny.tokenizer, poems, ends=True)
    result = compare(tiny, evaluated, BORDER.join(poems), ComparisonOptions(characters=2000))
    generated, held_out = result.generated, result.held_out
    assert generated.statistics.characters == held_out.statistics.characters == 2000
    assert held_out.statistics.real_words is not None
    assert held_out.statistics.real_words > 0.99  # its last word may be cut
    assert held_out.memorization.longest == max(len(poem) for poem in held_out_of(poems))
    assert generated.statistics.real_words is not None
    assert generated.statistics.real_words < 0.5
    assert generated.memorization.longest < 20


def held_out_of(poems: list[str]) -> list[str]:
    return draw_documents(poems, 2000, 500, ComparisonOptions().seed)


def test_a_text_without_documents_has_no_length_of_them(tiny: Checkpoint, anthology: str) -> None:
    evaluated = evaluate_texts(tiny.network, tiny.tokenizer, [anthology[:3000]], ends=False)
    result = compare(tiny, evaluated, anthology, ComparisonOptions(characters=1000))
    assert (
        result.held_out.statistics.document_lines
        is result.generated.statistics.document_lines
        is None
    )
    assert result.held_out.statistics.line_characters is not None


def test_the_training_text_is_that_of_files_or_of_a_prepared_corpus(
    tiny: Checkpoint, tmp_path: Path
) -> None:
    path, valid = tmp_path / "poems.txt", tmp_path / "valid.txt"
    path.write_text("\n\n\n".join(POEMS), encoding="utf-8")
    valid.write_text("Other", encoding="utf-8")
    data, options = tmp_path / "data", CorpusOptions()
    prepare([str(path)], data, options, valid_names=[str(valid)], tokenizer=tiny.tokenizer)
    from_files = training_text_of([str(path)], ["elsewhere"], options)
    assert from_files == BORDER.join(POEMS)
    assert training_text_of([], [str(data)], options) == from_files
    assert training_text_of([str(data)], ["elsewhere"], options) == from_files
    with pytest.raises(ParameterError, match="training_text"):
        training_text_of([], [str(path)], options)
    assert load_corpus(data).manifest.train.documents == len(POEMS)
    assert set(words(from_files)) > {"moon", "rain"}
