"""Training from a checkpoint: its vocabulary is widened, its weights kept, its words merged."""

import shutil
from pathlib import Path

import pytest
import torch
from training_runs import arguments, refusal, resuming, saved_step, stopped_after

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import Checkpoint, LoadedCheckpoint
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.network import Network
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, Tokenizer
from model.tokenizer_training import train_tokenizer
from model.tokenizer_widening import is_widened, widened_tokenizer
from model.word_list import WordList, pack
from training.__main__ import main
from training.merged_words import merged_words
from training.run_folder import read_config
from training.train_config import resolve
from training.widening import BIAS_BELOW, widened_network

NEW = "\u2019\u201c\u2014\u03bb\u2581\x00\U0001f600"
FROM = {"embedding_size": None, "hidden_size": None, "steps": 4}


def wide(tokenizer: Tokenizer) -> Tokenizer:
    return widened_tokenizer(tokenizer, "ab" + NEW)


def test_a_widened_vocabulary_writes_the_old_text_with_the_old_ids(
    tokenizer: Tokenizer, anthology: str
) -> None:
    new = wide(tokenizer)
    assert is_widened(new, tokenizer)
    assert not is_widened(tokenizer, new)
    assert new.encode(anthology) == tokenizer.encode(anthology)
    text = f"The sea\u2019s {NEW}\nend"
    assert new.decode(new.encode(text)) == text
    assert all(new.knows(char) for char in NEW)
    assert new.vocab_size == tokenizer.vocab_size + len(
        set(new.token_texts[tokenizer.vocab_size :])
    )
    assert Tokenizer(new.serialized, "char").encode(text) == new.encode(text)


def test_what_is_known_already_widens_nothing(tokenizer: Tokenizer, anthology: str) -> None:
    assert widened_tokenizer(tokenizer, "abc\n ") is tokenizer
    new = wide(tokenizer)
    assert widened_tokenizer(new, NEW) is new
    by_bytes = train_tokenizer([anthology[:20_000]], kind="bpe", vocab_size=400)
    assert widened_tokenizer(by_bytes, NEW) is by_bytes


@pytest.mark.parametrize("tied", [False, True])
def test_a_widened_network_reads_the_old_text_as_before(
    tied: bool, tokenizer: Tokenizer, tiny: Checkpoint
) -> None:
    old = tiny.network
    if tied:
        shape = {"tied": True, "embedding_size": 16, "hidden_size": 16}
        old = Network(old.config.model_copy(update=shape)).initialise()
    new = wide(tiny.tokenizer)
    network = widened_network(old, tiny.tokenizer, new, seed=1)
    size = tiny.tokenizer.vocab_size
    for name, weight in network.state_dict().items():
        assert torch.equal(weight[: len(old.state_dict()[name])], old.state_dict()[name])
    ids = torch.tensor([[BOS_ID, *tiny.tokenizer.encode("The sea was gray,\n")]])
    with torch.no_grad():
        logits, state = network(ids, network.zero_state(1))
        before, state_before = old(ids, old.zero_state(1))
    torch.testing.assert_close(logits[..., :size], before, rtol=0, atol=1e-6)
    torch.testing.assert_close(state.hidden, state_before.hidden, rtol=0, atol=0)
    new_share = logits.softmax(-1)[..., size:].sum(-1).max()
    assert new_share < (new.vocab_size - size) * 0.02


def test_a_new_character_begins_as_the_one_that_it_looks_like(tiny: Checkpoint) -> None:
    new = wide(tiny.tokenizer)
    network = widened_network(tiny.network, tiny.tokenizer, new, seed=1)
    curly, straight = new.encode("\u2019")[0], new.encode("'")[0]
    for matrix in (network.embedding.weight, network.output.weight):
        rows = matrix.detach()
        distances = (rows[: tiny.tokenizer.vocab_size] - rows[curly]).norm(dim=1)
        assert int(distances.argmin()) == straight
        assert float(distances[straight]) > 0
    bias = network.output.bias.detach()
    assert float(bias[curly]) == pytest.approx(float(bias[straight]) - BIAS_BELOW)
    same = widened_network(tiny.network, tiny.tokenizer, new, seed=1)
    assert torch.equal(same.embedding.weight, network.embedding.weight)
    other = widened_network(tiny.network, tiny.tokenizer, new, seed=2)
    assert not torch.equal(other.embedding.weight, network.embedding.weight)


def test_another_vocabulary_is_no_wider_one(tiny: Checkpoint) -> None:
    with pytest.raises(ValueError, match="not the old one"):
        widened_network(tiny.network, tiny.tokenizer, train_tokenizer(["xyz"]), seed=1)


@pytest.fixture
def poems(corpus: Path) -> Path:
    """The corpus with curly apostrophes, a dash and a smile."""
    text = corpus.read_text(encoding="utf-8").replace("'", "\u2019").replace(";", " \u2014")
    corpus.write_text(text.replace("sea", "sea \U0001f600"), encoding="utf-8")
    return corpus


def served(corpus: Path, name: str) -> LoadedCheckpoint:
    return checkpoints.load(corpus.parent / "checkpoints" / name)


def test_a_checkpoint_is_named_as_it_is_served_and_widened(
    poems: Path, worded_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(worded_checkpoint, poems.parent / "checkpoints" / "parent")
    assert main(arguments(poems, "child", init_from="parent", **FROM)) == 0
    said = capsys.readouterr().err
    assert "widened by 3 characters that parent does not have: " in said
    assert "'\u2019' U+2019" in said
    child, parent = served(poems, "child"), served(poems, "parent")
    assert is_widened(child.tokenizer, parent.tokenizer)
    assert child.tokenizer.knows("\U0001f600")
    assert child.description.architecture.vocab_size == child.tokenizer.vocab_size
    begun = f"parent (fp_{parent.digest})"
    assert child.description.provenance["begun from"] == begun
    assert f"| begun from | {begun} |" in child.card
    assert child.copy_index is None
    params = SamplingParams(seed=1, max_tokens=20)
    pieces = generate(decoder_of(child.network), child.tokenizer, "\u2019\U0001f600", params)
    assert sum(piece.num_tokens for piece in pieces) > 0
    config = read_config(poems.parent / "runs" / "child")
    assert config.init_from == poems.parent / "checkpoints" / "parent"
    assert child.word_list is not None
    assert parent.word_list is not None
    assert set(parent.word_list.words) <= set(child.word_list.words)


def test_resuming_after_widening_is_exact(poems: Path, worded_checkpoint: Path) -> None:
    options = {**FROM, "steps": 90, "init_from": worded_checkpoint}
    assert main(arguments(poems, "whole", **options)) == 0
    stopped_after(poems, "cut", arguments(poems, "cut", **options), 20)
    assert 20 < saved_step(poems, "cut") < 90
    assert main(resuming(poems, "cut")) == 0
    whole, cut = served(poems, "whole"), served(poems, "cut")
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, cut.network.state_dict()[name])
    assert whole.tokenizer.serialized == cut.tokenizer.serialized
    assert whole.description.provenance["begun from"] == cut.description.provenance["begun from"]
    assert whole.word_list is not None
    assert cut.word_list is not None
    assert whole.word_list.serialized == cut.word_list.serialized


def test_a_prepared_corpus_may_have_a_wider_vocabulary(
    poems: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(poems, "one", init_from=tiny_checkpoint, **FROM)) == 0
    data = poems.parent / "runs" / "one" / "data"
    args = arguments(poems, "two", init_from=tiny_checkpoint, **FROM)
    assert main(_with_corpus(args, data)) == 0
    assert served(poems, "two").tokenizer.serialized == served(poems, "one").tokenizer.serialized
    flags = ["--corpus", str(poems), "--out", str(poems.parent / "other")]
    assert main(["prepare", *flags]) == 0
    args = arguments(poems, "three", init_from=tiny_checkpoint, **FROM)
    message = refusal(capsys, _with_corpus(args, poems.parent / "other"))
    assert "different vocabularies" in message


def _with_corpus(args: list[str], corpus: Path) -> list[str]:
    at = args.index("--corpus") + 1
    return [*args[:at], str(corpus), *args[at + 1 :]]


def test_a_name_that_there_is_not_is_refused_with_those_there_are(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_checkpoint, corpus.parent / "checkpoints" / "mine")
    message = refusal(capsys, arguments(corpus, "one", init_from="yours", **FROM))
    assert "from: there is no checkpoint 'yours'; there are mine, songs, tang, verse" in message
    message = refusal(capsys, arguments(corpus, "one", init_from="mine", steps=3))
    assert "from: brings its own network and vocabulary; leave out --embedding-size" in message


def test_the_shipped_model_is_there_by_its_name_and_a_preset_is_for_it(corpus: Path) -> None:
    fields = {"init_from": "verse", "embedding_size": None, "hidden_size": None, "steps": 1}
    fields |= {"dropout": None, "evaluations": 1}
    assert main(arguments(corpus, "mine", **fields)) == 0
    config = read_config(corpus.parent / "runs" / "mine")
    assert config.init_from == pretrained.DEFAULT
    assert config.preset == "fine-tune"
    assert config.learning_rate == resolve("fine-tune", {}).learning_rate
    mine = served(corpus, "mine")
    assert mine.description.architecture.hidden_size == 1024
    assert mine.word_list is not None
    assert mine.word_list.associates("sea")


def words_of(counts: dict[str, int], near: dict[str, list[str]]) -> WordList:
    words = sorted(counts, key=lambda word: (-counts[word], word))
    columns = [[counts[word] for word in words], [1] * len(words), [0] * len(words)]
    associates = [[(words.index(each), 4) for each in near.get(word, [])] for word in words]
    return pack(words, columns, associates)


def test_the_own_words_of_a_text_count_as_much_as_all_of_the_parents() -> None:
    parent = words_of({"sea": 500, "moon": 300, "rose": 200}, {"sea": ["moon"], "moon": ["sea"]})
    own = words_of({"sea": 6, "train": 4}, {"sea": ["train"]})
    merged = merged_words(own, parent)
    counts = dict(zip(merged.words, merged.counts.tolist(), strict=True))
    assert counts == {"sea": 1100, "train": 400, "moon": 300, "rose": 200}
    assert merged.words == ["sea", "train", "moon", "rose"]
    assert merged.associates("sea") == [("train", 2.0), ("moon", 2.0)]
    assert merged.associates("moon") == [("sea", 2.0)]
    assert merged_words(words_of({}, {}), parent).words == parent.words
