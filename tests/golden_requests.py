"""Requests of the golden files, and digests of what the checkpoints that ship write for them.

    python tests/golden_requests.py [NAME ...]    writes tests/golden/NAME.json anew

A file may change only with its checkpoint: a change for any other reason means that every seed
that anyone has noted down gives another text.
"""

import hashlib
import json
import random
import struct
import sys
from pathlib import Path
from typing import Any

import torch

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import LoadedCheckpoint
from model.decoding.decoder import Decoder, decoder_of
from model.decoding.generation import Generation
from model.decoding.prefill import Prefill, feed
from model.decoding.reference_driver import next_piece
from model.decoding.row_batch import RowBatch
from model.parameters import MAX_SEED, SamplingParams

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
NUM_REQUESTS = 240
NUM_ENDING = 80  # of them behind those, with ends of verse and avoided words
NUM_OF_OTHERS = 32  # for each checkpoint that is not the default
ROWS = 48  # decoded together
PROMPTS = (
    "",
    "T",
    "Shall I compare thee to a ",
    "The moon\n",
    "THE SEA.\n\n",
    "O wild West Wind, thou breath of Autumn's being,\nThou, from whose unseen presence",
    "naïve — “quoted” …",
    "\u4e0d\u77e5",
    "a" * 100,
)


TANG_PROMPTS = ("", "明月", "江雪\n柳宗元\n", "春眠不覺曉", "sea")
TANG_LETTERS = {"e": "春", "a": "月"}


def requests_of(name: str) -> list[tuple[str, SamplingParams]]:
    """Requests for a checkpoint that ships: all for the default, some of them for the others."""
    made = requests()
    if name == pretrained.DEFAULT.name:
        return made
    few = made[: NUM_OF_OTHERS // 2] + made[-NUM_OF_OTHERS // 2 :]
    if name != "tang":
        return few
    return [
        (TANG_PROMPTS[index % len(TANG_PROMPTS)], params.model_copy(update=_tang_bias(params)))
        for index, (_, params) in enumerate(few)
    ]


def _tang_bias(params: SamplingParams) -> dict[str, Any]:
    return {"logit_bias": {TANG_LETTERS.get(c, c): bias for c, bias in params.logit_bias.items()}}


def requests() -> list[tuple[str, SamplingParams]]:
    """Prompts and sampling parameters; every field of the latter takes several values."""
    rng = random.Random(20261126)
    made = []
    for index in range(NUM_REQUESTS):
        fields: dict[str, Any] = {
            "seed": rng.choice([0, index, rng.randrange(2**63), MAX_SEED]),
            "max_tokens": rng.choice([1, 24, 64, 80]),
            "min_tokens": rng.choice([0, 0, 40]),
            "temperature": rng.choice([0.0, 0.2, 0.7, 0.8, 1.0, 1.0, 1.5, 10.0]),
            "top_k": rng.choice([0, 0, 1, 5, 40, 1000]),
            "top_p": rng.choice([1.0, 1.0, 0.9, 0.3, 0.01]),
            "min_p": rng.choice([0.0, 0.0, 0.05, 0.5]),
            "typical_p": rng.choice([1.0, 1.0, 0.9, 0.2]),
            "repetition_penalty": rng.choice([1.0, 1.0, 1.3, 0.8]),
            "frequency_penalty": rng.choice([0.0, 0.0, 0.7, -0.4]),
            "presence_penalty": rng.choice([0.0, 0.0, 1.0, -1.0]),
            "penalty_window": rng.choice([1, 16, 64, 1024]),
            "logit_bias": rng.choice([{}, {}, {"e": -100.0, "a": 2.5}, {"\n": 3.0}]),
            "stop": rng.choice([(), (), ("\n\n",), ("the", "and")]),
            "logprobs": rng.choice([None, 0, 5, 20]),
        }
        made.append((rng.choice(PROMPTS), SamplingParams.checked(**fields)))
    return made + [_ending_request(rng) for _ in range(NUM_ENDING)]


def _ending_request(rng: random.Random) -> tuple[str, SamplingParams]:
    fields: dict[str, Any] = {
        "seed": rng.randrange(2**63),
        "max_tokens": rng.choice([60, 160, 240]),
        "min_tokens": rng.choice([0, 0, 0, 100]),
        "temperature": rng.choice([0.0, 0.6, 1.0, 1.0, 1.4]),
        "top_k": rng.choice([0, 0, 20]),
        "top_p": rng.choice([1.0, 1.0, 0.9]),
        "presence_penalty": rng.choice([0.0, 0.0, 0.5]),
        "logit_bias": rng.choice([{}, {}, {"\n": -100.0}]),
        "stop": rng.choice([(), (), ("\n\n",), ("ing",)]),
        "logprobs": rng.choice([None, 2]),
        "max_lines": rng.choice([None, None, 1, 3]),
        "max_stanzas": rng.choice([None, None, 1, 2]),
        "soft_end": rng.choice([None, 0, 40, 60]),
        "avoid": rng.choice([(), ("the", "and"), ("love", "a*", "of the", "I"), ("o'er", "s*")]),
    }
    return rng.choice(PROMPTS), SamplingParams.checked(**fields)


def digests(
    loaded: LoadedCheckpoint, wanted: list[tuple[str, SamplingParams]], rows: int = ROWS
) -> list[str]:
    """Digests of each request's text and of its log probabilities; `rows` are decoded together."""
    decoder, found = decoder_of(loaded.network, "int8"), []
    for start in range(0, len(wanted), rows):
        found += _digests_of_batch(decoder, loaded, wanted[start : start + rows])
    return found


def _digests_of_batch(
    decoder: Decoder, loaded: LoadedCheckpoint, wanted: list[tuple[str, SamplingParams]]
) -> list[str]:
    tokenizer, batch = loaded.tokenizer, RowBatch(decoder)
    generations = [Generation(tokenizer, tokenizer.encode_prompt(p), each) for p, each in wanted]
    prefills = [Prefill(decoder, each.prompt.ids) for each in generations]
    while unfinished := [prefill for prefill in prefills if not prefill.is_done]:
        feed(decoder, unfinished[: decoder.fed_together])
    texts = [hashlib.sha256() for _ in wanted]
    logprobs = [hashlib.sha256() for _ in wanted]
    for generation, prefill in zip(generations, prefills, strict=True):
        batch.join(generation, prefill.state)
    running = list(range(len(wanted)))
    while running:
        sampled = batch.step(8)
        for row, which in enumerate(running):
            piece, _ = next_piece(tokenizer, generations[which], sampled, row)
            texts[which].update(piece.text.encode())
            for entry in piece.logprobs:
                top = (value for _, value in entry.top)
                numbers = struct.pack(f"<{1 + len(entry.top)}d", entry.logprob, *top)
                names = "".join(token for token, _ in entry.top)
                logprobs[which].update(numbers + names.encode())
        places = [row for row, which in enumerate(running) if not generations[which].is_finished]
        batch.keep_rows(places)
        running = [running[row] for row in places]
    pairs = zip(texts, logprobs, strict=True)
    return [f"{text.hexdigest()[:16]} {values.hexdigest()[:16]}" for text, values in pairs]


def golden_of(name: str) -> dict[str, Any]:
    """Golden file of a checkpoint that ships: its digest, and those of its texts."""
    read: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return read


def main() -> None:
    """Write the golden files of the checkpoints that are named, or of all."""
    torch.set_num_threads(1)
    for name in sys.argv[1:] or pretrained.NAMES:
        loaded = checkpoints.load(pretrained.FOLDER / name)
        golden = {"checkpoint": loaded.digest, "digests": digests(loaded, requests_of(name))}
        text = json.dumps(golden, indent=1) + "\n"
        (GOLDEN / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
