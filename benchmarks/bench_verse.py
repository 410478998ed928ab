"""Verse in forms beside people's and free lines: rhyme, syllables, metre, fluency, copies, time.

    STROPHE_MISAKI=FOLDER python benchmarks/bench_verse.py --valid FILE [--judge CHECKPOINT]
        [--poems 30] [--forms sonnet haiku ...]

Rhymes and syllables are counted by a second dictionary (misaki's) that the composer never saw, an
unknown word being a failure of a rhyme; a few words may be a syllable shorter (SHORTER). Fluency is
in nats a character of each line behind its title and the lines before it, by the model's network in
float32 and by a second model, trained apart, if one is named. Human rows are stanzas of four lines
of a held-out text, the same lines shuffled, and the first four lines that the model writes freely.
Seconds are CPU time of one thread.
"""

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import torch
from bench_quality import read
from measured import quantile, show_json, show_table
from misaki_referee import Referee, referee

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import LoadedCheckpoint
from model.copies.copy_index import CopyIndex
from model.copies.copy_report import copy_report
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.parameters import SamplingParams
from model.scoring import surprisals
from verse.checks.line_checks import metre_checks
from verse.checks.spoken_line import spoken_line
from verse.composer.voice import Voice, voice_of
from verse.composing import write_poem
from verse.forms import LineSpec, PoemSpec
from verse.poem import ComposedLine
from verse.poem_request import PoemRequest
from verse.presets import PRESETS, WORD_PRESETS
from verse.prosody.line_words import line_words

TITLES = (
    "THE SEA.",
    "TO THE MOON.",
    "WINTER.",
    "THE GARDEN.",
    "A LULLABY.",
    "THE OLD HOUSE.",
    "ON PARTING.",
    "THE RIVER.",
    "SPRING.",
    "THE SOLDIER.",
)
WORDS = {"acrostic": ("LOVE", "STARS", "WINTER"), "ghazal": ("tonight", "again", "of the sea")}
IAMBIC = "x/" * 5
# Words that the referee has in full alone, and verse mostly in a syllable less: either will do.
SHORTER = {"our", "ours", "hour", "hours", "fire", "fires", "every", "o'er", "e'er", "ne'er"}
SHORTER |= {"desire", "desires", "prayer", "prayers"}


@dataclass(frozen=True, slots=True)
class Written:
    """A poem to be measured: lines with what was asked of each, its title, and how it came."""

    title: str
    lines: Sequence[str]
    specs: Sequence[LineSpec]
    composed: Sequence[ComposedLine] = ()
    seconds: float = 0.0
    first_line_seconds: float = 0.0


@dataclass(slots=True)
class Row:
    """A row of the table: poems of one kind."""

    name: str
    poems: list[Written] = field(default_factory=list)


def last_word(text: str, spec: LineSpec) -> str:
    """Word that a line rhymes by: its last, or the one before its tail."""
    if spec.tail is not None:
        text = text.rsplit(spec.tail, 1)[0]
    words = line_words(text)
    return words[-1].text.casefold() if words else ""


def own_lines(poem: Written) -> list[int]:
    """Places of the lines that are no refrain and not locked."""
    return [i for i, spec in enumerate(poem.specs) if spec.refrain is None and spec.text is None]


def rhyme_figures(poems: Iterable[Written], judge: Referee) -> dict[str, float]:
    """Shares of rhymed lines that rhyme with their first, and of other pairs that do."""
    wanted = right = unknown = pairs = false = 0
    for poem in poems:
        ends = {i: last_word(poem.lines[i], poem.specs[i]) for i in own_lines(poem)}
        first: dict[str, str] = {}
        for i, word in ends.items():
            letter = poem.specs[i].rhyme
            if letter is None:
                continue
            if letter in first:
                verdict = judge.rhymes(first[letter], word)
                wanted += 1
                right += verdict is True
                unknown += verdict is None
            first.setdefault(letter, word)
        for a, b in combinations(ends, 2):
            if poem.specs[a].rhyme is None or poem.specs[a].rhyme != poem.specs[b].rhyme:
                pairs += 1
                false += judge.rhymes(ends[a], ends[b]) is True
    return {
        "rhymes": share(right, wanted),
        "rhymes_unknown": share(unknown, wanted),
        "false_rhymes": share(false, pairs),
    }


def syllable_figures(poems: Iterable[Written], judge: Referee) -> dict[str, float]:
    """Shares of lines of the wanted length, of all and of those whose words the referee knows."""
    lines = known = right = 0
    for poem in poems:
        for i in own_lines(poem):
            wanted = poem.specs[i].syllable_range
            if wanted is None:
                continue
            counts = {0}
            for word in line_words(poem.lines[i]):
                said = {each.syllables for each in judge.readings(word.text.casefold())}
                if word.text.casefold() in SHORTER:
                    said |= {count - 1 for count in said}
                counts = {one + more for one in counts for more in said}
            lines += 1
            known += bool(counts)
            right += any(wanted[0] <= count <= wanted[1] for count in counts)
    return {"syllables": share(right, lines), "syllables_known": share(right, known)}


def metre_figures(poems: Iterable[Written]) -> dict[str, float]:
    """Shares of lines that keep their metre, or iambic pentameter, by the verifier's two rules."""
    kept: Counter[str] = Counter()
    lines = 0
    for poem in poems:
        for i in own_lines(poem):
            spec = poem.specs[i] if poem.specs[i].templates else LineSpec(metre=IAMBIC)
            lines += 1
            for check in metre_checks(spoken_line(poem.lines[i]), spec):
                kept[check.kind] += check.ok
    return {"metre": share(kept["metre"], lines), "strict": share(kept["strict metre"], lines)}


def word_figures(poems: Sequence[Written], known: "set[str]") -> dict[str, float]:
    """Share of words that are known, distinct pairs of words, and lines that open alike."""
    words = [[w.text.casefold() for w in line_words(x)] for p in poems for x in p.lines]
    flat = [word for line in words for word in line]
    pairs = [pair for line in words for pair in pairwise(line)]
    openings = Counter(line[0] for line in words if line)
    return {
        "words": share(sum(word in known for word in flat), len(flat)),
        "distinct_2": share(len(set(pairs)), len(pairs)),
        "opening": share(max(openings.values(), default=0), len(words)),
        "full_stop": share(sum(p.lines[-1].endswith((".", "!", "?")) for p in poems), len(poems)),
    }


def fluency_figures(poems: Iterable[Written], loaded: LoadedCheckpoint) -> dict[str, float]:
    """Mean nats a character of lines that begin a rhyme or have none, and of those that rhyme."""
    opening: list[float] = []
    rhyming: list[float] = []
    for poem in poems:
        seen: set[str] = set()
        own = set(own_lines(poem))
        for i, nats in enumerate(nats_by_line(poem, loaded)):
            letter = poem.specs[i].rhyme
            if i in own:
                (rhyming if letter in seen else opening).append(nats)
            seen |= {letter} if letter else set()
    return {"nats_opening": mean(opening), "nats_rhyming": mean(rhyming)}


def nats_by_line(poem: Written, loaded: LoadedCheckpoint) -> Iterator[float]:
    """Nats a character of each line with its end, behind all that stands before it."""
    before = loaded.tokenizer.encode_prompt(f"{poem.title}\n\n").ids
    lines = [loaded.tokenizer.encode_prompt(f"{line}\n").ids[1:] for line in poem.lines]
    losses, _ = surprisals(loaded.network, torch.tensor([sum(lines, before)]))
    start = len(before) - 1
    for line in lines:
        yield float(losses[0, start : start + len(line)].mean())
        start += len(line)


def composed(form: str, number: int, voice: Voice, decoder: Any, particles: int) -> Written:
    """One poem in a form."""
    words = WORDS.get(form)
    request = PoemRequest(
        form=form,
        word=words[number % len(words)] if words else None,
        title=TITLES[number % len(TITLES)],
        seed=number,
        particles=particles,
    )
    spec: PoemSpec = request.poem_spec()
    start = time.process_time()
    at: list[float] = []
    poem = write_poem(decoder, voice, request, lambda _: at.append(time.process_time() - start))
    lines = [line.text for line in poem.lines]
    return Written(request.title, lines, spec.lines, poem.lines, at[-1], at[0])


def human_quatrains(text: str, count: int, index: CopyIndex | None) -> list[list[str]]:
    """Stanzas of four lines of verse, spread over a text.

    Reprints of what the model was trained on are left out, where it has an index of that: a split
    by work leaves some on both sides.
    """
    stanzas = [stanza.splitlines() for stanza in text.split("\n\n")]
    fit = [s for s in stanzas if len(s) == 4 and all(3 <= len(x.split()) <= 12 for x in s)]
    drawn = random.Random(1).sample(fit, min(2 * count, len(fit)))
    if index is None:
        return drawn[:count]
    own = [s for s in drawn if copy_report(index, "\n".join(s)).verdict != "rejected"]
    print(f"{len(drawn) - len(own)} of {len(drawn)} held-out stanzas stand in the training text\n")
    return own[:count]


def human_rows(text: str, count: int, index: CopyIndex | None) -> Iterator[Row]:
    """Rows of what people wrote: as it stands, and its lines shuffled; rhymed as ABAB by chance."""
    stanzas = human_quatrains(text, count, index)
    lines = [line for stanza in stanzas for line in stanza]
    random.Random(2).shuffle(lines)
    shuffled = [lines[start : start + 4] for start in range(0, len(lines), 4)]
    for name, each in (("human", stanzas), ("human, lines shuffled", shuffled)):
        yield Row(
            name, [Written(TITLES[i % 10], lines, [LineSpec()] * 4) for i, lines in enumerate(each)]
        )


def free_row(loaded: LoadedCheckpoint, decoder: Any, count: int) -> Row:
    """Row of the first four lines that the model writes freely behind the same titles."""
    poems = []
    for number in range(count):
        title = TITLES[number % len(TITLES)]
        params = SamplingParams(max_tokens=400, temperature=0.8, seed=number)
        pieces = generate(decoder, loaded.tokenizer, f"{title}\n\n", params, steps=32)
        text = "".join(piece.text for piece in pieces)
        lines = [line for line in text.split("\n")[:-1] if len(line_words(line)) > 1][:4]
        if len(lines) == 4:
            poems.append(Written(title, lines, [LineSpec()] * 4))
    return Row("free", poems)


def any_rhyme(poems: Iterable[Written], judge: Referee) -> float:
    """Share of pairs of lines of a poem that rhyme."""
    verdicts = [
        judge.rhymes(last_word(a, LineSpec()), last_word(b, LineSpec())) is True
        for poem in poems
        for a, b in combinations(poem.lines, 2)
    ]
    return share(sum(verdicts), len(verdicts))


def figures(
    row: Row,
    loaded: LoadedCheckpoint,
    other: LoadedCheckpoint | None,
    judge: Referee,
    known: set[str],
) -> dict[str, Any]:
    """All figures of one row."""
    poems = row.poems
    found: dict[str, Any] = {"row": row.name, "poems": len(poems)}
    found |= rhyme_figures(poems, judge) | syllable_figures(poems, judge) | metre_figures(poems)
    found |= word_figures(poems, known) | fluency_figures(poems, loaded)
    if other is not None:
        found |= {f"judge_{k}": v for k, v in fluency_figures(poems, other).items()}
    if poems and not poems[0].composed:
        found["rhymes"] = any_rhyme(poems, judge)
    lines = [line for poem in poems for line in poem.composed if not line.is_given]
    slots = [
        line
        for poem in poems
        for line, spec in zip(poem.composed, poem.specs, strict=False)
        if spec.rhyme is not None and not line.is_given
    ]
    least = min((line.particles for line in lines), default=0)
    found["first_pass"] = share(sum(s.particles == least for s in slots), len(slots))
    found["relaxed"] = sum(len(line.relaxed) for line in lines)
    found["copied"] = copied_figures(poems, loaded)
    seconds = sorted(poem.seconds for poem in poems)
    found["seconds_p50"], found["seconds_max"] = quantile(seconds, 0.5), quantile(seconds, 0.999)
    found["first_line_p50"] = quantile(sorted(p.first_line_seconds for p in poems), 0.5)
    return found


def copied_figures(poems: Sequence[Written], loaded: LoadedCheckpoint) -> dict[str, float]:
    """Longest runs of poems that stand in the training text, where the checkpoint has an index."""
    index = loaded.copy_index
    if index is None:
        return {}
    runs = [index.longest_run("\n".join(poem.lines)) for poem in poems]
    lengths = sorted(float(run.characters if run else 0) for run in runs)
    return {
        "p50": quantile(lengths, 0.5),
        "p99": quantile(lengths, 0.99),
        "max": quantile(lengths, 1),
    }


def share(part: float, whole: float) -> float:
    """Share in percent; nan of nothing."""
    return 100 * part / whole if whole else float("nan")


def mean(values: Sequence[float]) -> float:
    """Mean; nan of nothing."""
    return statistics.fmean(values) if values else float("nan")


def main() -> None:
    """Measure every row and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=pretrained.DEFAULT)
    parser.add_argument("--judge", type=Path, help="a checkpoint that was trained apart")
    parser.add_argument("--valid", type=Path, help="held-out verse, .xz or plain")
    parser.add_argument("--poems", type=int, default=30)
    parser.add_argument("--particles", type=int, default=32)
    parser.add_argument("--forms", nargs="*", default=[*PRESETS, *WORD_PRESETS])
    parser.add_argument("--show", type=int, default=0, help="print so many poems a form")
    args = parser.parse_args()
    judge = referee()
    if judge is None:
        parser.error("misaki is not installed, and STROPHE_MISAKI names no folder")
    torch.set_num_threads(1)
    loaded = checkpoints.load(args.checkpoint)
    other = checkpoints.load(args.judge) if args.judge else None
    decoder = decoder_of(loaded.network)
    voice = voice_of(loaded, decoder)
    if voice.lexicon is None:
        parser.error(voice.why_no_lexicon)
    known = set(voice.lexicon.index)
    composed("couplets", 0, voice, decoder, 4)  # compiles the kernels
    rows = list(human_rows(read(args.valid), 200, loaded.copy_index)) if args.valid else []
    rows.append(free_row(loaded, decoder, 2 * args.poems))
    for form in args.forms:
        poems = [composed(form, n, voice, decoder, args.particles) for n in range(args.poems)]
        rows.append(Row(form, poems))
    results = [figures(row, loaded, other, judge, known) for row in rows]
    columns = [name for name in results[-1] if name != "copied"]
    show_table(columns, [[_shown(result.get(name)) for name in columns] for result in results])
    for row in rows:
        for poem in row.poems[: args.show] if row.poems[0].composed else []:
            print(f"\n[{row.name}] {poem.title}\n" + "\n".join(poem.lines))
    show_json(results)


def _shown(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
