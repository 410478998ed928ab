"""Title effect: poems under their own title, another's and none, each scored by itself."""

import pytest
import torch

from model.checkpoint import Checkpoint
from model.config import ModelConfig
from model.network import Network
from model.scoring import surprisals
from model.tokenizer import BOS_ID
from training.evaluation.title_effect import TitleOptions, title_effect, titled_poems
from training.training_errors import CorpusError

POEMS = [
    "THE SEA\n\nThe waves roll in\nand out again",
    "no title here\nbut two lines\n\nand two stanzas",
    "THE ROSE\n\nA rose is red,",
    "THE MOON\n\nPale and cold above the hill",
]
OPTIONS = TitleOptions()


def nats(tiny: Checkpoint, head: str, verse: str) -> float:
    """Surprisal of a verse after a head, from the definition."""
    ids = [BOS_ID, *tiny.tokenizer.encode(head + verse)]
    losses, _ = surprisals(tiny.network, torch.tensor([ids]))
    return float(losses[0, -len(verse) :].double().sum())


def test_only_poems_that_open_with_a_title_count_and_only_their_beginning() -> None:
    found = [(poem.title, poem.verse) for poem in titled_poems(POEMS, 9)]
    assert found == [("THE SEA", "The waves"), ("THE ROSE", "A rose is"), ("THE MOON", "Pale and ")]


def test_every_sum_is_that_of_a_poem_by_itself(tiny: Checkpoint) -> None:
    effect = title_effect(tiny.network, tiny.tokenizer, POEMS, OPTIONS)
    titles, verses = zip(*(poem.split("\n\n") for poem in POEMS if poem[0] == "T"), strict=True)
    others = [titles[1], titles[2], titles[0]]  # half of them further on
    sides = {
        effect.own: [title + "\n\n" for title in titles],
        effect.another: [title + "\n\n" for title in others],
        effect.none: ["", "", ""],
    }
    wins = []
    for score, heads in sides.items():
        singly = [nats(tiny, head, verse) for head, verse in zip(heads, verses, strict=True)]
        assert score.nats == pytest.approx(sum(singly), rel=1e-5)
        assert score.characters == sum(map(len, verses))
        wins.append(singly)
    assert effect.poems == 3
    assert effect.likelier_under_own == sum(a < b for a, b in zip(*wins[:2], strict=True)) / 3


def test_a_network_that_reads_nothing_but_the_last_token_heeds_no_title(tiny: Checkpoint) -> None:
    vocabulary = tiny.tokenizer.vocab_size
    network = Network(ModelConfig(vocab_size=vocabulary, hidden_size=8, num_layers=1)).initialise()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "layers" in name:
                weight.zero_()  # the state stays zero
    effect = title_effect(network, tiny.tokenizer, POEMS, OPTIONS)
    assert effect.own.nats == effect.another.nats == effect.none.nats
    assert effect.likelier_under_own == 0


@pytest.mark.parametrize("documents", [[], POEMS[:2], ["A\nB\nC\nD\n\nE"]])
def test_without_two_titles_there_is_nothing_to_compare(
    tiny: Checkpoint, documents: list[str]
) -> None:
    with pytest.raises(CorpusError, match="at least two must"):
        title_effect(tiny.network, tiny.tokenizer, documents, OPTIONS)
