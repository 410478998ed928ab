"""Poems of the golden file, and digests of what the checkpoint that ships composes for them.

    python tests/golden_poems.py    writes tests/golden/poems.json anew

The file may change with that checkpoint, and where verse is composed in another way: a change for
any other reason means that every seed of a poem that anyone has noted down gives another poem.
"""

import hashlib
import json
import struct
from typing import Any

from golden_requests import ROOT

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import LoadedCheckpoint
from model.decoding.decoder import decoder_of
from verse.composer.voice import voice_of
from verse.composing import write_poem
from verse.forms import LineSpec, PoemSpec
from verse.poem import Poem
from verse.poem_request import PoemRequest

GOLDEN = ROOT / "tests" / "golden" / "poems.json"
OWN = PoemSpec(
    stanzas=(
        (
            LineSpec(text="I wandered lonely as a cloud", rhyme="A", metre="x/x/x/x/"),
            LineSpec(rhyme="B", syllables=(6, 9), start="And yet"),
            LineSpec(rhyme="A", metre="iambic tetrameter"),
            LineSpec(rhyme="B", end="sea"),
        ),
        (LineSpec(characters=(20, 30)), LineSpec(acrostic="w"), LineSpec(refrain=2)),
    )
)


def requests() -> list[PoemRequest]:
    """Requests that between them use every kind of line and every field."""
    few: dict[str, Any] = {"particles": 6}
    return [
        PoemRequest(form="quatrain-abab", title="THE SEA.", seed=7),
        PoemRequest(form="haiku", seed=0, modern=True, alternatives=2, **few),
        PoemRequest(form="limerick", seed=1, temperature=1.0, **few),
        PoemRequest(form="triolet", title="WINTER.", seed=2, avoid=("snow", "The"), **few),
        PoemRequest(form="ghazal", word="of the sea", seed=3, subject=("ship",), **few),
        PoemRequest(form="acrostic", word="Love", seed=4, keywords=("silver",), **few),
        PoemRequest(form="ballad", seed=5, prefer=("moon",), opening="The king sits\n", **few),
        PoemRequest(form="couplets", seed=8, allow_copies=True, **few),
        PoemRequest(spec=OWN, seed=6, strict=False, **few),
    ]


def digest_of(poem: Poem) -> str:
    """Digest of a poem's text, of its other lines, and of what each line cost, to the last bit."""
    digest = hashlib.sha256(poem.text.encode())
    for line in poem.lines:
        digest.update("\n".join(line.alternatives).encode())
        for cost in (line.nats_per_character, line.free_nats_per_character, line.end_nats):
            digest.update(b"-" if cost is None else struct.pack("<d", cost))
    return digest.hexdigest()[:16]


def digests(loaded: LoadedCheckpoint) -> list[str]:
    """Digests of the poems of all requests."""
    decoder = decoder_of(loaded.network)
    voice = voice_of(loaded, decoder)
    return [digest_of(write_poem(decoder, voice, each)) for each in requests()]


def main() -> None:
    """Write the golden file anew."""
    loaded = checkpoints.load(pretrained.DEFAULT)
    content = {"checkpoint": loaded.digest, "digests": digests(loaded)}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
