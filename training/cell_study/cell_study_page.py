"""Markdown page of the cell study: what was measured, how to read each plot, what a run shows.

Every number in it comes from the findings; what it says a run shows, it reads off them too.
"""

import importlib.metadata
import shlex
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path

import torch

from model.count_in_words import counted
from model.gate_activations import GATES
from training.cell_study.cell_study_data import DATA
from training.cell_study.cell_study_plots import COLD_START, GATE_PLOT, GRADIENTS, RECALL, SHOWN
from training.cell_study.cold_start import doubling_spans
from training.cell_study.findings import (
    Accuracies,
    CellStudy,
    GateFindings,
    RecallFindings,
    TextFindings,
)
from training.cell_study.matched_networks import CELLS, Shapes, num_parameters
from training.cell_study.recall import TASKS, TEST_TASKS
from training.cell_study.text_learning import BATCH_SIZE, SEQUENCE_LENGTH
from training.train_config import ANTHOLOGY

PAGE = "study.md"
FILES = (PAGE, DATA, GRADIENTS, RECALL, COLD_START, GATE_PLOT)

SHOWN_STEPS_BACK = (1, 10, 50, 100, 200)
SMALL_SHARE = 0.01
GOOD_ACCURACY = 0.9


def write_page(study: CellStudy, folder: Path) -> None:
    """Write study.md beside its plots."""
    parts = (
        _setting(study),
        _gradients(study.text),
        _recall(study.recall),
        _cold_start(study.text),
        _gates(study.gates),
        _repeating(study),
    )
    (folder / PAGE).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _setting(study: CellStudy) -> str:
    text, manifest = study.text, study.manifest
    names = [Path(source.name).name for source in manifest.sources]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    trained = table(
        ("cell", "units", "parameters", "held-out text, state carried"),
        [
            (
                cell,
                text.shapes[cell].hidden_size,
                f"{num_parameters(text.shapes[cell]):,}",
                f"{text.trained[cell].nats:.3f} nats",
            )
            for cell in CELLS
        ],
    )
    return f"""# What an LSTM is for

Three recurrent cells read one character at a time and carry a state along. An **rnn** computes its
state anew at every step. A **gru** mixes the new with the old by two gates. An **lstm** also has a
cell state c beside the hidden state h, which is not computed anew but kept and added to; three
gates say how much is kept (forget gate), written (input gate) and shown (output gate).

What that is good for is measured here on networks of one layer and nearly equal numbers of
parameters: the same text, batches, seed, number of weight updates and learning rate for all, none
tuned for one of them.

{trained}

Text: {", ".join(names[:3])}{more}; {manifest.train.characters:,} characters to learn from and
{manifest.valid.characters:,} held out, on which everything below is measured. Each network made
{text.steps:,} weight updates of {BATCH_SIZE} x {SEQUENCE_LENGTH} characters; in training,
gradients end at the border of {SEQUENCE_LENGTH} characters."""


def _gradients(text: TextFindings) -> str:
    curves = [
        (stage, cell, state, reach)
        for stage, cells in text.reaches.items()
        for cell, states in cells.items()
        for state, reach in states.items()
    ]
    rows = [
        (
            stage,
            f"{cell} {state}",
            *(f"{reach.median[k]:.1e}" for k in SHOWN_STEPS_BACK),
            _fall(reach.steps_above(SMALL_SHARE), len(reach.median)),
        )
        for stage, cell, state, reach in curves
    ]
    header = ("network", "state", *(f"k = {k}" for k in SHOWN_STEPS_BACK), "below 1 % at k =")
    return f"""## 1. How far back a loss reaches

![The gradient's norm by steps back]({GRADIENTS})

A network can only learn from what happened k steps ago if the loss now depends on the state then.
Plotted is the norm of the gradient of one character's loss with respect to the hidden state h (and
the lstm's cell state c) k steps earlier, divided by its norm with respect to h at k = 0, place by
place: the median of {text.places} places of held-out text, and the quarters above and below it. A
straight line downwards is a gradient that shrinks by the same factor at every step. The states are
those handed on to the next step; h is varied with c fixed and the other way round.

{table(header, rows)}"""


def _fall(step: int, length: int) -> str:
    return str(step) if step < length else f"beyond {length - 1}"


def _recall(recall: RecallFindings) -> str:
    task, seeds = recall.mixed_task, len(recall.alone.by_cell["lstm"])
    return f"""## 2. Recall of a symbol across a gap

![Accuracy over the gap]({RECALL})

`c b d h ! f a g f ... c e ?` asks for f: the letter after the mark, while others of the same
{task.letters} letters go by. Naming any letter is right in {task.chance:.3f} of all cases. Networks
of their own ({_units(recall.shapes)}) made {recall.steps:,} updates of {TASKS} tasks each.
Numbers are means of {counted(seeds, "seed")} (worst-best), {TEST_TASKS} tasks each.

**One gap alone.** For each gap another network, which has seen no other gap: all that it can learn
from has to come back across the whole gap, as in part 1.

{_accuracy_table(recall.alone, recall.shapes)}

Right in at least {GOOD_ACCURACY:.0%} of all cases, on the mean of the seeds:
{_good_until(recall.alone)}.

**Gaps of 0 to {task.longest_gap}, short ones more often.** One network for all gaps: it may learn
on short ones what long ones need. Gaps beyond {task.longest_gap} come only in the test.

{_accuracy_table(recall.mixed, recall.shapes)}

Right in at least {GOOD_ACCURACY:.0%}: {_good_until(recall.mixed)}."""


def _accuracy_table(accuracies: Accuracies, shapes: Shapes) -> str:
    rows = []
    for cell in CELLS:
        columns = zip(accuracies.means(cell), *accuracies.ranges(cell), strict=True)
        shown = (f"{mean:.2f} ({worst:.2f}-{best:.2f})" for mean, worst, best in columns)
        rows.append((cell, f"{num_parameters(shapes[cell]):,}", *shown))
    return table(("cell", "parameters", *(f"gap {gap}" for gap in accuracies.gaps)), rows)


def _good_until(accuracies: Accuracies) -> str:
    clauses = []
    for cell in CELLS:
        pairs = zip(accuracies.gaps, accuracies.means(cell), strict=True)
        good = [gap for gap, _ in takewhile(lambda pair: pair[1] >= GOOD_ACCURACY, pairs)]
        clauses.append(f"{cell} up to a gap of {good[-1]}" if good else f"{cell} at no gap")
    return "; ".join(clauses)


def _units(shapes: Shapes) -> str:
    return ", ".join(f"{cell} of {shapes[cell].hidden_size}" for cell in CELLS) + " units"


def _cold_start(text: TextFindings) -> str:
    spans = {cell: doubling_spans(losses) for cell, losses in text.cold.items()}
    header = (
        "cell",
        *(f"{s.first}-{s.last}" if s.last > s.first else str(s.first) for s in spans["lstm"]),
    )
    rows = [(cell, *(f"{span.nats:.3f}" for span in spans[cell])) for cell in CELLS]
    falls = "; ".join(f"{cell} {spans[cell][3].nats - spans[cell][-1].nats:+.3f}" for cell in CELLS)
    return f"""## 3. What a filled state is worth

![Nats per character after a cold start]({COLD_START})

Each window of text begins with the zero state, as a request does: the network knows nothing of
what came before. The further it reads, the more its state holds, and the less the next character
surprises it, as long as the state can hold more. The mean over {text.windows:,} windows of held-out
text, by position after the first character; spans double in width.

{table(header, rows)}

Gained between positions 8-15 and the last span, in nats: {falls}."""


def _gates(gates: GateFindings) -> str:
    begin, space, line_end = (SHOWN[piece] for piece in ("<s>", " ", "\n"))
    rows = [(kind, *(f"{row[gate]:.3f}" for gate in GATES)) for kind, row in gates.by_kind.items()]
    return f"""## 4. When the gates open

![The gates over a poem]({GATE_PLOT})

Layer {gates.layer} of {gates.source}, reading a poem from the zero state. A gate is
open (1) or shut (0) for each unit by itself; plotted is the mean over all units of the layer, at
the step that reads the character below it: `{begin}` opens the document, `{space}` is a
space, `{line_end}` a line end. Where the forget gate dips, memory is cleared; where the input
gate rises, something is written. Units that do the opposite of each other do not show in a mean.

By what is read, over the first {gates.characters:,} characters of held-out text:

{table(("character read", *(f"{gate} gate" for gate in GATES)), rows)}"""


def _repeating(study: CellStudy) -> str:
    config = study.config
    flags = ["--text-steps", study.text.steps, "--recall-steps", study.recall.steps]
    flags += ["--seeds", config.seeds, "--seed", config.seed, "--hidden-size", config.hidden_size]
    if config.corpus != (str(ANTHOLOGY),):
        flags += ["--corpus", *config.corpus]
    if config.checkpoint is not None:
        flags += ["--checkpoint", config.checkpoint]
    if config.layer is not None:
        flags += ["--layer", config.layer]
    command = shlex.join(["strophe", "study", *map(str, flags)])
    version, threads = importlib.metadata.version("strophe"), torch.get_num_threads()
    return f"""## This run

{study.minutes:.1f} minutes in all, seed {config.seed}, Strophe {version},
torch {torch.__version__}, CPU threads: {threads}. The same again, on the same kind of machine:

```console
$ {command}
```"""


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Format a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
