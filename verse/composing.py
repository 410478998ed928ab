"""Composing: a poem of a loaded checkpoint, alone - the reference that the service must equal.

Knows nothing of threads, requests and HTTP.
"""

import secrets

import torch

from model.decoding.decoder import CHUNK, Decoder
from verse.composer.network_steps import Cursor, NetworkRead, NetworkStep
from verse.composer.poem_writing import compose
from verse.composer.voice import Voice
from verse.poem import ComposedLine, Poem
from verse.poem_request import PoemRequest


def write_poem(decoder: Decoder, voice: Voice, request: PoemRequest) -> Poem:
    """Write a poem. Raises CompositionError where a strict form cannot be kept."""
    seed = secrets.randbelow(2**53) if request.seed is None else request.seed
    composing = compose(voice, request, seed)
    answer: object = None
    while True:
        try:
            asked = composing.send(answer)
        except StopIteration as finished:
            poem: Poem = finished.value
            return poem
        answer = None if isinstance(asked, ComposedLine) else answered(decoder, asked)


@torch.inference_mode()
def answered(decoder: Decoder, asked: NetworkStep | NetworkRead) -> object:
    """What a composer is sent for a request: logits (R, V), or the place behind what was read."""
    if isinstance(asked, NetworkStep):
        return decoder.backend.step(asked.ids, asked.state).cpu().numpy()
    state = [part.clone() for part in asked.cursor.state]
    ids = [asked.cursor.last, *asked.ids[:-1]]
    for start in range(0, len(ids), CHUNK):
        chunk = torch.tensor([ids[start : start + CHUNK]], device=decoder.device)
        decoder.loop.feed(chunk, [chunk.shape[1]], state)
    return Cursor(state, asked.ids[-1])
