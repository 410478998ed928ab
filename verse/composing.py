"""Composing: a poem of a loaded checkpoint, alone - the reference that the service must equal.

Knows nothing of threads, requests and HTTP.
"""

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from model.copies.copy_index import CopyIndex
from model.copies.copy_report import copy_report
from model.decoding.decoder import CHUNK, Decoder
from verse.composer.feasibility import require_possible
from verse.composer.network_steps import Cursor, NetworkRead, NetworkStep
from verse.composer.poem_writing import compose
from verse.composer.voice import Voice
from verse.forms import PoemSpec
from verse.poem import ComposedLine, Poem
from verse.poem_request import PoemRequest
from verse.report import Report
from verse.verifier import verify


def write_poem(
    decoder: Decoder,
    voice: Voice,
    request: PoemRequest,
    on_line: Callable[[ComposedLine], None] = lambda line: None,
) -> Poem:
    """Write a poem, giving `on_line` each line as it comes.

    Raises ParameterError for a form that cannot be (`verse.composer.feasibility`), and
    CompositionError where no line was found that keeps a strict form.
    """
    require_possible(voice, request)
    composing = compose(voice, request, drawn_seed(request))
    answer: object = None
    while True:
        try:
            asked = composing.send(answer)
        except StopIteration as finished:
            poem: Poem = finished.value
            return poem
        answer = None
        if isinstance(asked, ComposedLine):
            on_line(asked)
        else:
            answer = answered(decoder, asked)


def drawn_seed(request: PoemRequest) -> int:
    """Seed of a request: its own, or a fresh one that a JavaScript client can give back."""
    return secrets.randbelow(2**53) if request.seed is None else request.seed


def report_of(poem: Poem, spec: PoemSpec, index: CopyIndex | None = None) -> Report:
    """Report on a poem by the verifier, with what only its composer and a copy index know."""
    report = verify(poem.text, spec)
    written = [line for line in poem.lines if not line.is_given]
    lines = [
        replace(each, fluency=line.nats_per_character, forcedness=line.end_nats)
        for each, line in zip(report.lines, poem.lines, strict=False)
    ]
    relaxed = [f"line {line.number}: {name}" for line in written for name in line.relaxed]
    return replace(
        report,
        lines=tuple(lines),
        fluency=_mean([line.nats_per_character for line in written]),
        free_fluency=_mean([line.free_nats_per_character for line in written]),
        relaxed=tuple(relaxed),
        tried=sum(line.particles for line in written),
        seed=poem.seed,
        copied=None if index is None else copy_report(index, poem.text),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


@torch.inference_mode()
def answered(decoder: Decoder, asked: NetworkStep | NetworkRead) -> object:
    """Answer a composer's request: logits (R, V), or the place behind what was read."""
    if isinstance(asked, NetworkStep):
        return decoder.backend.step(asked.ids, asked.state).cpu().numpy()
    state = [part.clone() for part in asked.cursor.state]
    ids = [asked.cursor.last, *asked.ids[:-1]]
    for start in range(0, len(ids), CHUNK):
        chunk = torch.tensor([ids[start : start + CHUNK]], device=decoder.device)
        decoder.loop.feed(chunk, [chunk.shape[1]], state)
    return Cursor(state, asked.ids[-1])
