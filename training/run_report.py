"""Report of a run: the model card, samples at several temperatures, the loss curve.

Knows nothing of the training loop: it reads a checkpoint and the run's metrics.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from model.atomic_write import write_file
from model.checkpoint import CARD, Checkpoint
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.parameters import SamplingParams
from training.figure_file import mark_whole_numbers, save_figure
from training.run_log import read_metrics

TEMPERATURES = (0.5, 0.8, 1.0)
SAMPLE_TOKENS = 400
RIGHTS = (
    "Who publishes this model answers for the texts that it learned from. A model of songs or "
    "poems under copyright can write passages of them: it should not be published."
)
SAMPLE_SEED = 1
STEPS = 20  # taken in one call of the decoder, which costs as much as a step


def sample(
    checkpoint: Checkpoint, temperatures: Iterable[float], tokens: int = SAMPLE_TOKENS
) -> dict[float, str]:
    """Generate text samples from the empty prompt, by temperature, always with the same seed."""
    decoder = decoder_of(checkpoint.network)
    texts = {}
    for temperature in temperatures:
        params = SamplingParams(temperature=temperature, max_tokens=tokens, seed=SAMPLE_SEED)
        pieces = generate(decoder, checkpoint.tokenizer, "", params, STEPS)
        texts[temperature] = "".join(piece.text for piece in pieces)
    return texts


def write_card(title: str, facts: Mapping[str, object], samples: Mapping[float, str]) -> str:
    """Format the model card of a checkpoint in Markdown."""
    lines = [f"# {title}", "", "A character language model, trained with Strophe.", ""]
    lines += ["| fact | value |", "| --- | --- |"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in facts.items() if value is not None]
    lines += ["", "## Rights", "", RIGHTS]
    for temperature, text in samples.items():
        lines += ["", f"## Sample at temperature {temperature}, as it came", ""]
        lines += ["```text", text.replace("```", "'''"), "```"]
    return "\n".join(lines) + "\n"


def with_facts(card: str, facts: Mapping[str, object]) -> str:
    """Put facts into the table of a card, in place of those of the same name or at its end.

    Of a fact that is None only the old row is taken out.
    """
    old = tuple(f"| {name} |" for name in facts)
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items() if value is not None]
    lines = [line for line in card.split("\n") if not line.startswith(old)]
    in_table = [at for at, line in enumerate(lines) if line.startswith("| fact | value |")]
    if not in_table:
        return "\n".join([*lines, "| fact | value |", "| --- | --- |", *rows, ""])
    end = next(
        (at for at in range(in_table[0], len(lines)) if not lines[at].startswith("|")), len(lines)
    )
    return "\n".join([*lines[:end], *rows, *lines[end:]])


def _cell(value: object) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def write_run_report(folder: Path, run_folder: Path, checkpoint: Checkpoint) -> None:
    """Write the card with its samples, and the loss curve as loss.png."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / CARD, checkpoint.card)
    draw_losses(run_folder, folder / "loss.png")


def draw_losses(run_folder: Path, target: Path) -> None:
    """Plot training and validation loss by step, in bits per character, as a PNG."""
    metrics = read_metrics(run_folder)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, label in (("train_nats", "training text"), ("valid_nats", "validation text")):
        points = [(line["step"], line[name] / math.log(2)) for line in metrics if name in line]
        if points:
            axes.plot(*zip(*points, strict=True), label=label)
    axes.set_xlabel("weight updates")
    mark_whole_numbers(axes.xaxis)
    axes.set_ylabel("bits per character")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    save_figure(figure, target)
