"""Experiments of the cell study, each from its networks to its findings.

Says what it is about to do; knows nothing of plots, pages and folders.
"""

from collections.abc import Callable, Sequence

import torch

from model.checkpoint import Checkpoint
from model.config import Cell
from model.network import Network
from model.tokenizer import Tokenizer
from training.cell_study.cell_study_config import CellStudyConfig
from training.cell_study.cold_start import nats_by_position
from training.cell_study.findings import Accuracies, GateFindings, RecallFindings, TextFindings
from training.cell_study.gate_openings import gates_over, openings_by_kind, pieces_of
from training.cell_study.gradient_reach import reaches
from training.cell_study.held_out import choose_poem, documents_of, ids_of, spread_windows
from training.cell_study.matched_networks import CELLS, Shapes, equal_shapes, fresh
from training.cell_study.recall import (
    RecallTask,
    RecallTrainer,
    accuracy,
    recall_config,
    train_on_recall,
)
from training.cell_study.text_learning import (
    EMBEDDING_SIZE,
    Trained,
    affordable_steps,
    text_config,
    train_on_text,
)
from training.cell_study.update_rate import affordable
from training.data.corpus import Corpus

TEXT_SHARE, RECALL_SHARE = 0.4, 0.45  # of the minutes; the rest is for measuring

REACH, REACH_LEAD, REACH_PLACES = 200, 100, 64  # steps back, steps read before them, places
COLD_POSITIONS, COLD_WINDOWS = 255, 1024
KIND_CHARACTERS = 4_000

RECALL_WIDTH, RECALL_EMBEDDING = 48, 16
RECALL_TRIALS = 10  # updates differ in length, by their gap
GAPS_ALONE = (0, 5, 10, 15, 20, 30)
GAPS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 400)

Say = Callable[[str], None]


def measure_text_learning(
    config: CellStudyConfig, corpus: Corpus, device: torch.device, say: Say
) -> TextFindings:
    """Train the cells on text, and measure gradient reach and the loss after a cold start.

    Parts 1 and 3 of the page.
    """
    shapes = equal_shapes(
        vocab_size=corpus.tokenizer.vocab_size,
        embedding_size=EMBEDDING_SIZE,
        lstm_width=config.hidden_size,
    )
    places = spread_windows(corpus.valid, REACH_LEAD + REACH + 1, REACH_PLACES)
    windows = spread_windows(corpus.valid, COLD_POSITIONS + 1, COLD_WINDOWS)
    networks = {cell: fresh(shape, config.seed, device) for cell, shape in shapes.items()}
    steps = config.text_steps
    if steps is None:
        steps = affordable_steps(corpus, networks, TEXT_SHARE * config.minutes * 60)
    settings = text_config(steps=steps, seed=config.seed)
    trained: dict[Cell, Trained] = {}
    for cell, network in networks.items():
        say(f"text: {cell}, {steps:,} updates")
        torch.manual_seed(config.seed)
        trained[cell] = train_on_text(corpus, network, settings)
    say("gradients and cold starts")
    stages = ("untrained", "trained")
    return TextFindings(
        shapes=shapes,
        steps=steps,
        trained=trained,
        reaches={
            stage: {cell: reaches(t.by_stage[stage], places, REACH) for cell, t in trained.items()}
            for stage in stages
        },
        places=len(places),
        cold={cell: nats_by_position(t.after, windows) for cell, t in trained.items()},
        windows=len(windows),
    )


def measure_recall(config: CellStudyConfig, device: torch.device, say: Say) -> RecallFindings:
    """Train the cells on recall across gaps, from several seeds, and measure their accuracy.

    Part 2 of the page.
    """
    mixed_task = RecallTask()
    alone_tasks = [RecallTask(shortest_gap=gap, longest_gap=gap) for gap in GAPS_ALONE]
    shapes = equal_shapes(
        vocab_size=mixed_task.vocab_size, embedding_size=RECALL_EMBEDDING, lstm_width=RECALL_WIDTH
    )
    steps = config.recall_steps
    if steps is None:
        seconds = RECALL_SHARE * config.minutes * 60 / config.seeds
        steps = _affordable_recall_steps(shapes, [mixed_task, *alone_tasks], seconds, device)
    alone: dict[Cell, list[list[float]]] = {cell: [] for cell in CELLS}
    mixed: dict[Cell, list[list[float]]] = {cell: [] for cell in CELLS}
    for seed in range(config.seed, config.seed + config.seeds):
        settings = recall_config(steps=steps, seed=seed)
        for cell, shape in shapes.items():
            say(f"recall: {cell}, seed {seed}, {steps:,} updates of {1 + len(GAPS_ALONE)} networks")
            alone[cell].append([])
            for task in alone_tasks:
                network = train_on_recall(fresh(shape, seed, device), task, settings)
                alone[cell][-1].append(accuracy(network, task, task.longest_gap, seed=seed))
            network = train_on_recall(fresh(shape, seed, device), mixed_task, settings)
            mixed[cell].append([accuracy(network, mixed_task, gap, seed=seed) for gap in GAPS])
    return RecallFindings(
        shapes=shapes,
        steps=steps,
        mixed_task=mixed_task,
        alone=Accuracies(gaps=GAPS_ALONE, by_cell=alone),
        mixed=Accuracies(gaps=GAPS, by_cell=mixed),
    )


def _affordable_recall_steps(
    shapes: Shapes, tasks: Sequence[RecallTask], seconds: float, device: torch.device
) -> int:
    config = recall_config(steps=1 + RECALL_TRIALS, seed=0)
    trainers = [
        RecallTrainer(fresh(shape, 0, device), task, config)
        for shape in shapes.values()
        for task in tasks
    ]
    return affordable([trainer.step for trainer in trainers], seconds, trials=RECALL_TRIALS)


def measure_gates(
    config: CellStudyConfig, corpus: Corpus, lstm: Network, loaded: Checkpoint | None
) -> GateFindings:
    """Measure how far the gates of a trained lstm open over held-out text.

    Part 4 of the page.
    """
    tokenizer: Tokenizer = corpus.tokenizer
    source = "the lstm of this study"
    if loaded is not None:
        lstm, tokenizer = loaded.network, loaded.tokenizer
        source = f"the checkpoint {config.checkpoint}"
    layer = config.layer if config.layer is not None else lstm.config.num_layers
    documents = documents_of(corpus)
    poem = ids_of(tokenizer, [choose_poem(documents)])
    text = ids_of(tokenizer, documents)[:KIND_CHARACTERS]
    gates = gates_over(lstm, text, layer - 1)
    return GateFindings(
        source=source,
        layer=layer,
        pieces=pieces_of(tokenizer, poem),
        poem=gates_over(lstm, poem, layer - 1),
        by_kind=openings_by_kind(gates, pieces_of(tokenizer, text)),
        characters=len(text),
    )
