"""Dynamic evaluation: it scores before it learns, it learns, and it leaves nothing behind."""

import numpy as np
import pytest
import torch

from model.checkpoint import Checkpoint
from model.network import Network
from model.tokenizer import BOS_ID
from training.evaluation.cross_entropy import mean_surprisal
from training.evaluation.dynamic_evaluation import DynamicOptions, adapting, dynamic_score

REFRAIN = "Row, row, row your boat, gently down the stream.\n"


def ids_of(tiny: Checkpoint, text: str) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.array([BOS_ID, *tiny.tokenizer.encode(text)], dtype=np.int32)


def losses_of(network: Network, ids: np.ndarray, **options: float) -> torch.Tensor:
    return torch.cat(list(adapting(network, ids, DynamicOptions(**options))))


def test_without_learning_it_is_the_ordinary_figure(tiny: Checkpoint, anthology: str) -> None:
    ids = ids_of(tiny, anthology[:700])
    losses = losses_of(tiny.network, ids, learning_rate=0, segment=33)
    assert len(losses) == 700
    assert float(losses.mean()) == pytest.approx(mean_surprisal(tiny.network, ids), rel=1e-5)


def test_what_was_scored_does_not_depend_on_what_follows(tiny: Checkpoint, anthology: str) -> None:
    begun = anthology[:200]
    one, other = (ids_of(tiny, begun + rest) for rest in (anthology[300:400], "!" * 100))
    first, second = (losses_of(tiny.network, ids, segment=20)[:200] for ids in (one, other))
    assert torch.equal(first, second)


def test_a_segment_is_scored_before_it_is_learned(tiny: Checkpoint, anthology: str) -> None:
    ids = ids_of(tiny, anthology[:100])
    still, learning = (
        losses_of(tiny.network, ids, learning_rate=rate, segment=40) for rate in (0, 1)
    )
    assert torch.equal(still[:40], learning[:40])
    assert not torch.equal(still[40:], learning[40:])


def test_a_text_that_repeats_itself_is_learned(tiny: Checkpoint) -> None:
    ids = ids_of(tiny, REFRAIN * 30)
    dynamic = dynamic_score(tiny.network, ids, len(ids) - 1, DynamicOptions(learning_rate=0.01))
    assert dynamic.nats_per_character < 0.9 * mean_surprisal(tiny.network, ids)


def test_full_decay_forgets_every_step(tiny: Checkpoint, anthology: str) -> None:
    ids = ids_of(tiny, anthology[:300])
    forgetful = losses_of(tiny.network, ids, learning_rate=1, decay=1)
    still = losses_of(tiny.network, ids, learning_rate=0)
    assert torch.allclose(forgetful, still, atol=1e-5)


def test_a_small_rate_learns_a_little(tiny: Checkpoint, anthology: str) -> None:
    ids = ids_of(tiny, anthology[:200])
    still = losses_of(tiny.network, ids, learning_rate=0, segment=20)
    hardly = losses_of(tiny.network, ids, learning_rate=1e-6, segment=20)
    assert not torch.equal(still, hardly)
    assert torch.allclose(still, hardly, atol=1e-2)


def test_the_network_stays_as_it_was_even_after_an_error(tiny: Checkpoint, anthology: str) -> None:
    ids = ids_of(tiny, anthology[:300])
    before = {name: weight.clone() for name, weight in tiny.network.state_dict().items()}
    dynamic_score(tiny.network, ids, 300, DynamicOptions(learning_rate=0.1))
    broken = ids.copy()
    broken[200] = tiny.tokenizer.vocab_size  # no such token
    with pytest.raises(IndexError):
        losses_of(tiny.network, broken)
    assert all(torch.equal(w, before[name]) for name, w in tiny.network.state_dict().items())
    assert not any(weight.requires_grad for weight in tiny.network.parameters())
    assert not tiny.network.training
