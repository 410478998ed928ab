"""Served model: what is told of a checkpoint that was loaded, all of it from that one loading.

Nothing here is ever read from the folder again, so network, shape, card, fingerprint and date agree
while the folder is being replaced.
"""

import math
from dataclasses import dataclass, fields
from typing import Protocol

from model.checkpoint import Checkpoint, LoadedCheckpoint
from model.config import ModelConfig
from model.copies.copy_index import CopyIndex
from model.tokenizer import Tokenizer
from service.engine.request import Runner
from service.models.discovery import Candidate
from service.models.prepared_voice import PreparedVoice
from verse.composer.voice import Voice

MAX_CARD = 65_536  # bytes


class LoadedRunner(Runner, Protocol):
    """Runner of a checkpoint, with its tokenizer and the name of its decode backend."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Tokenizer of the checkpoint."""
        ...

    @property
    def backend_name(self) -> str:
        """Name of the decode backend, which settings, logs and metrics call `path`."""
        ...

    @property
    def is_exact(self) -> bool:
        """Exactness of states: True where ids read at once and one by one leave the same bits."""
        ...

    def make_voice(self, checkpoint: Checkpoint) -> Voice:
        """Make the voice by which its checkpoint composes; takes seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedModel:
    """Checkpoint that was loaded: its runner, voice, shape, card, fingerprint and date."""

    runner: LoadedRunner
    voice: PreparedVoice
    architecture: ModelConfig
    card: str
    fingerprint: str  # the same for the same files, wherever they lie
    written_at: float  # in seconds since 1970
    purpose: str | None = None  # what it is for, in a few words, if its maker said so
    feeding_speed: float  # tokens of a prompt in a second of computing, on this machine
    copy_index: CopyIndex | None = None  # of its training text, if it was made

    @staticmethod
    def of(
        runner: LoadedRunner, checkpoint: LoadedCheckpoint, feeding_speed: float = math.inf
    ) -> "LoadedModel":
        """Keep what is told of a checkpoint beside its runner; a card that is too long is cut."""
        return LoadedModel(
            runner=runner,
            voice=PreparedVoice(lambda: runner.make_voice(checkpoint)),
            architecture=checkpoint.description.architecture,
            card=checkpoint.card.encode()[:MAX_CARD].decode("utf-8", "replace"),
            fingerprint=f"fp_{checkpoint.digest}",
            written_at=checkpoint.written_at,
            purpose=checkpoint.description.purpose,
            feeding_speed=feeding_speed,
            copy_index=checkpoint.copy_index,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServedModel(LoadedModel):
    """Loaded model on offer under a name, and the folder that it came from."""

    name: str
    source: Candidate
    generation: int  # 1 for the first model of this name in this process, and 1 more at each swap

    @staticmethod
    def from_folder(loaded: LoadedModel, source: Candidate, generation: int) -> "ServedModel":
        """Offer a loaded model by the name of its folder."""
        told = {each.name: getattr(loaded, each.name) for each in fields(loaded)}
        return ServedModel(name=source.name, source=source, generation=generation, **told)
