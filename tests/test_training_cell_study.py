"""The parts of a study: each gives the figure that theory, or another way to it, does."""

import time

import numpy as np
import pytest
import torch
from torch.nn import functional

from model.config import Cell, ModelConfig
from model.gate_activations import GATES
from model.network import Network, State
from training.cell_study.cell_study_plots import rows_of
from training.cell_study.cold_start import doubling_spans, nats_by_position
from training.cell_study.gate_openings import KINDS, gates_over, kind_of, openings_by_kind
from training.cell_study.gradient_reach import Reach, reaches, state_gradients
from training.cell_study.held_out import choose_poem, spread_windows
from training.cell_study.matched_networks import CELLS, equal_shapes, fresh, num_parameters
from training.cell_study.recall import RecallTask, accuracy, recall_config, train_on_recall
from training.cell_study.update_rate import affordable
from training.evaluation.cross_entropy import cold_window_nats

CPU = torch.device("cpu")


def small(cell: Cell, *, layers: int = 2, seed: int = 0) -> Network:
    config = ModelConfig(
        cell=cell, vocab_size=9, embedding_size=4, hidden_size=5, num_layers=layers
    )
    return fresh(config, seed, CPU)


def some_ids(rows: int, length: int) -> torch.Tensor:
    return torch.randint(9, (rows, length), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("width", [32, 64, 128, 300])
def test_the_cells_have_equally_many_parameters(width: int) -> None:
    shapes = equal_shapes(vocab_size=63, embedding_size=32, lstm_width=width)
    assert list(shapes) == list(CELLS)
    assert [shapes[cell].cell for cell in CELLS] == list(CELLS)
    counts = [num_parameters(shape) for shape in shapes.values()]
    assert max(counts) / min(counts) < 1.02
    assert shapes["lstm"].hidden_size == width


def test_parameters_are_counted_as_they_are_trained() -> None:
    network = small("gru")
    there = sum(weight.numel() for weight in network.parameters())
    assert num_parameters(network.config) == there


# Gradients


@pytest.mark.parametrize("cell", CELLS)
def test_at_no_distance_the_gradient_is_that_of_the_output_layer(cell: Cell) -> None:
    network, ids = small(cell), some_ids(3, 12)
    hidden, cells = state_gradients(network, ids, steps=6)
    with torch.no_grad():
        logits, _ = network(ids[:, :-1], network.zero_state(3))
        errors = logits[:, -1].softmax(-1) - functional.one_hot(ids[:, -1], 9)
        direct = (errors @ network.output.weight).norm(dim=1)
    torch.testing.assert_close(hidden[0].float(), direct)
    if cells is not None:
        assert cells[0].tolist() == [0, 0, 0]  # the logits see h alone


@pytest.mark.parametrize(
    ("cell", "state"),
    [("rnn", "hidden"), ("gru", "hidden"), ("lstm", "hidden"), ("lstm", "cell")],
)
def test_the_gradient_is_the_quotient_of_small_differences(cell: Cell, state: str) -> None:
    back, nudge, ids = 4, 1e-5, some_ids(1, 10)
    network = small(cell).double()
    start = network.zero_state(1)
    start = State(start.hidden.double(), None if start.cell is None else start.cell.double())

    def loss(unit: int, change: float) -> float:
        _, before = network.read(ids[:, : 9 - back], start)
        nudged = before.hidden if state == "hidden" else before.cell
        assert nudged is not None
        nudged[-1, 0, unit] += change
        logits, _ = network(ids[:, 9 - back : 9], before)
        return float(functional.cross_entropy(logits[:, -1], ids[:, -1]))

    with torch.no_grad():
        slopes = [(loss(u, nudge) - loss(u, -nudge)) / (2 * nudge) for u in range(5)]
    hidden, cells = state_gradients(network, ids, steps=6)
    found = hidden if state == "hidden" else cells
    assert found is not None
    assert float(found[back, 0]) == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


def test_the_cell_state_of_open_forget_gates_loses_nothing() -> None:
    """The constant error carousel: f = 1 and nothing else listens to the past."""
    network = small("lstm", layers=1)
    with torch.no_grad():
        network.get_parameter("layers.0.weight_hh_l0").zero_()
        network.get_parameter("layers.0.bias_ih_l0")[5:10] = 100.0
    _, cells = state_gradients(network, some_ids(2, 60), steps=50)
    assert cells is not None
    torch.testing.assert_close(cells[50], cells[1])
    assert float(cells[1].min()) > 0


def test_without_recurrent_weights_nothing_reaches_back() -> None:
    network = small("rnn", layers=1)
    with torch.no_grad():
        network.get_parameter("layers.0.weight_hh_l0").zero_()
    reach = reaches(network, some_ids(4, 12), 6)["h"]
    assert reach.median.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert reach.steps_above(0.5) == 1


def test_places_do_not_mix() -> None:
    network, ids = small("lstm"), some_ids(3, 12)
    together, _ = state_gradients(network, ids, steps=6)
    alone = [state_gradients(network, row[None], steps=6)[0] for row in ids]
    torch.testing.assert_close(together, torch.cat(alone, dim=1))


def test_measuring_a_gradient_leaves_the_network_alone() -> None:
    network = small("gru")
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    reaches(network, some_ids(2, 12), 6)
    assert all(torch.equal(before[name], w) for name, w in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_a_reach_is_a_share_of_each_places_own_norm() -> None:
    norms = torch.tensor([[2.0, 4.0, 8.0], [1.0, 1.0, 1.0]])
    reach = Reach.of(norms, norms[0])
    assert reach.median.tolist() == [1.0, 0.25]
    assert reach.lower[1] <= reach.median[1] <= reach.upper[1]
    assert reach.steps_above(0.1) == 2


# Recall


def test_the_answer_is_the_letter_after_the_mark() -> None:
    task = RecallTask(letters=5, lead=3)
    tokens, answers = task.draw(7, 40, torch.Generator().manual_seed(1))
    assert tokens.shape == (40, 3 + 1 + 1 + 7 + 1)
    assert tokens[:, 3].tolist() == [5] * 40
    assert tokens[:, -1].tolist() == [6] * 40
    assert torch.equal(tokens[:, 4], answers)
    letters = torch.cat([tokens[:, :3], tokens[:, 4:-1]], dim=1)
    assert int(letters.max()) == 4


def test_chance_is_what_a_fixed_answer_gets() -> None:
    task = RecallTask(letters=4)
    network = fresh(ModelConfig(vocab_size=task.vocab_size, hidden_size=8, num_layers=1), 0, CPU)
    with torch.no_grad():
        network.output.bias[2] = 1000.0
    rows = 4000
    spread = (task.chance * (1 - task.chance) / rows) ** 0.5
    assert accuracy(network, task, 3, rows=rows) == pytest.approx(task.chance, abs=5 * spread)


def test_gaps_to_train_on_are_all_that_are_asked_for() -> None:
    task, generator = RecallTask(longest_gap=6), torch.Generator().manual_seed(1)
    assert {task.draw_gap(generator) for _ in range(500)} == set(range(7))
    for gap in (0, 15, 100):
        alone = RecallTask(shortest_gap=gap, longest_gap=gap)
        assert {alone.draw_gap(generator) for _ in range(100)} == {gap}


@pytest.mark.parametrize("cell", CELLS)
def test_a_letter_just_seen_is_learned_by_every_cell(cell: Cell) -> None:
    task = RecallTask(letters=4, lead=0, longest_gap=0)
    shapes = equal_shapes(vocab_size=task.vocab_size, embedding_size=8, lstm_width=32)
    network = fresh(shapes[cell], 1, CPU)
    assert accuracy(network, task, 0) < 0.9
    trained = train_on_recall(network, task, recall_config(steps=80, seed=1))
    assert accuracy(trained, task, 0) > 0.99
    assert not trained.training


# Cold starts


def test_positions_average_to_the_loss_of_cold_windows() -> None:
    network, ids = small("lstm"), some_ids(1, 61)[0].numpy().astype(np.uint16)
    windows = torch.tensor(np.stack([ids[i * 6 : i * 6 + 7] for i in range(10)]).astype(np.int64))
    losses = nats_by_position(network, windows)
    assert losses.shape == (6,)
    assert losses.mean() == pytest.approx(cold_window_nats(network, ids, 6), rel=1e-6)


@pytest.mark.parametrize("length", [1, 7, 8, 255])
def test_spans_double_and_leave_nothing_out(length: int) -> None:
    losses = np.arange(1.0, length + 1)
    spans = doubling_spans(losses)
    assert [p for span in spans for p in range(span.first, span.last + 1)] == list(losses)
    assert [span.first for span in spans] == [2**i for i in range(len(spans))]
    total = sum(span.nats * (span.last - span.first + 1) for span in spans)
    assert total == pytest.approx(losses.sum())


# Gates


def test_kinds_of_characters() -> None:
    text = ["<s>", "A", "h", ",", " ", "o", "\n"]
    kinds = [kind_of(before, piece) for before, piece in zip(["", *text], text, strict=False)]
    begin, line_end, space, punctuation, first, other = KINDS
    assert kinds == [begin, first, other, punctuation, space, first, line_end]


def test_openings_by_kind_weigh_up_to_the_mean_of_all() -> None:
    pieces = ["<s>", "a", "b", " ", "c", "\n"]
    gates = gates_over(small("lstm"), [1, 2, 3, 4, 5, 6], 1)
    table = openings_by_kind(gates, pieces)
    assert "punctuation" not in table
    counts = {kind: 2 if kind == "first letter of a word" else 1 for kind in table}
    for gate in GATES:
        total = sum(counts[kind] * table[kind][gate] for kind in table)
        assert total / 6 == pytest.approx(float(gates.openings()[gate].mean()), rel=1e-5)


def test_rows_of_a_plot_are_the_lines_with_their_ends() -> None:
    pieces = ["<s>", *"ab\n\nc\n", *"d" * 100, "<s>"]
    rows = rows_of(pieces)
    assert [place for row in rows for place in row] == list(range(len(pieces)))
    texts = ["".join(pieces[row.start : row.stop]) for row in rows]
    assert texts[:2] == ["<s>ab\n\n", "c\n"]
    assert max(len(row) for row in rows) <= 64


# Held-out text and the clock


def test_windows_reach_from_the_begin_to_the_end() -> None:
    ids = np.arange(1000, dtype=np.uint16)
    windows = spread_windows(ids, 100, 8)
    assert windows.shape == (8, 100)
    assert int(windows[0, 0]) == 0
    assert int(windows[-1, -1]) == 999
    assert len(spread_windows(ids[:120], 100, 8)) == 2


def test_the_poem_fits_on_a_plot() -> None:
    long, wide = "\n".join("x" * 30), "\n".join(["y" * 90] * 9)
    fits = "\n".join(["z" * 30] * 9)
    assert choose_poem([long, wide, fits]) == fits
    assert long.startswith(choose_poem([long, wide]))


def test_updates_are_counted_so_that_all_cells_fit_into_the_time() -> None:
    updates = [lambda: time.sleep(0.002)] * 2
    assert 1 <= affordable(updates, 0.1, trials=4) <= 25
    assert affordable(updates, 1e-9, trials=1) == 1
