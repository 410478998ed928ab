"""Export of a checkpoint as a folder for the Hub: its files, a card that the Hub reads, and sums.

The card's front matter says to the Hub what the card says to people. The folder is a checkpoint
itself, loaded by its path or its `hf://` address; its fingerprint is another one, as its card is.
"""

import json
import math
import shutil
from pathlib import Path

from model import checkpoint as checkpoints
from model.atomic_write import replacing_folder
from model.checkpoint import CARD, FILES, LoadedCheckpoint
from model.errors import ParameterError
from model.extra_files import MAX_EXTRA
from model.stores.sums import SUMS, sums_of
from model.weights_file import Precision

MARK = "---\n"  # around the front matter
USE = "## Write with it"
BITS, NATS = "validation bits per character", "best validation nats per token"


def export_for_hub(
    source: Path,
    target: Path,
    *,
    name: str,
    license_id: str,
    languages: list[str],
    precision: Precision | None = None,
) -> None:
    """Write the checkpoint of `source` to `target`, in place of an earlier export.

    `license_id` and `languages` are ids that the Hub knows, such as cc0-1.0 and en; without a
    `precision` the weights stay as they are. Raises CheckpointError, and ParameterError where
    `target` holds something else, or this network's weights do not come in that precision.
    """
    if target.exists() and not (target / SUMS).is_file():
        raise ParameterError("out", f"{target} is there and no earlier export")
    loaded = checkpoints.load(source)  # what cannot be loaded is not exported
    card = hub_card(loaded, name=name, license_id=license_id, languages=languages)
    names = [*FILES, *(each for each in MAX_EXTRA if each in loaded.description.extra_files)]
    with replacing_folder(target) as partial:
        for file in [*(source / each for each in names), *source.glob("*.png")]:
            shutil.copyfile(file, partial / file.name)
        if precision is not None:
            checkpoints.write_files(loaded, partial, precision)
        (partial / CARD).write_text(card, encoding="utf-8")
        (partial / SUMS).write_text(sums_of(partial), encoding="utf-8")


def hub_card(
    checkpoint: LoadedCheckpoint, *, name: str, license_id: str, languages: list[str]
) -> str:
    """Card of a checkpoint with front matter, in place of one that is there, and how to use it."""
    body = without_front_matter(checkpoint.card).rstrip("\n")
    if USE not in body:
        body += f"\n\n{USE}\n\n    strophe generate --checkpoint hf://OWNER/{name}"
    by = ["character-level"] if checkpoint.description.tokenizer == "char" else []
    facts: dict[str, object] = {
        "license": license_id,
        "language": languages,
        "library_name": "strophe",
        "pipeline_tag": "text-generation",
        "tags": ["poetry", "verse", checkpoint.description.architecture.cell, *by],
    }
    if (bits := bits_per_character(checkpoint)) is not None:
        facts["model-index"] = [{"name": name, "results": [_result(checkpoint, bits)]}]
    # JSON is YAML too, whatever is in the strings.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in facts.items()]
    return f"{MARK}{''.join(lines)}{MARK}\n{body}\n"


def bits_per_character(checkpoint: LoadedCheckpoint) -> float | None:
    """Bits per character on held-out text, as training told them; None where it did not."""
    told = checkpoint.description.provenance
    if isinstance(bits := told.get(BITS), float):
        return bits
    nats = told.get(NATS)
    is_by_character = checkpoint.description.tokenizer == "char"
    return round(nats / math.log(2), 4) if isinstance(nats, float) and is_by_character else None


def _result(checkpoint: LoadedCheckpoint, bits: float) -> dict[str, object]:
    corpus = checkpoint.description.provenance.get("corpus", "the corpus")
    return {
        "task": {"type": "text-generation", "name": "Text generation"},
        "dataset": {"type": "text", "name": f"held-out part of {corpus}"},
        "metrics": [{"type": "bits_per_character", "name": "Bits per character", "value": bits}],
    }


def without_front_matter(card: str) -> str:
    """Card without the front matter that it may begin with."""
    if not card.startswith(MARK):
        return card
    _, separator, rest = card[len(MARK) :].partition(f"\n{MARK}")
    return rest.lstrip("\n") if separator else card
