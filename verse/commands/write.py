"""`python -m verse write`: a poem in a form at the terminal, line by line as it comes.

A form for which no line was found is exit code 1.
"""

import argparse
import sys
from pathlib import Path

from model import checkpoint as checkpoints
from model import pretrained
from model.decoding.decoder import decoder_of
from model.device import resolve_device
from model.stores.mirror import local_folder
from model.terminal_text import terminal_line
from verse.commands.terminal_files import json_text, shown, spec_of
from verse.composer.voice import voice_of
from verse.composing import report_of, write_poem
from verse.forms import PoemSpec
from verse.poem import ComposedLine, CompositionError
from verse.poem_request import PoemRequest
from verse.report_text import report_text

WORD_FIELDS = ("avoid", "prefer", "keywords", "subject")
_FLAG_TYPES: dict[str, type] = {
    "seed": int,
    "temperature": float,
    "particles": int,
    "alternatives": int,
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `write`: the fields of a poem request as flags, and what a terminal needs."""
    write = commands.add_parser("write", help="write a poem that keeps a form")
    write.add_argument(
        "--checkpoint",
        default=str(pretrained.DEFAULT),
        help="folder, name of a model that ships, or address such as s3://bucket/folder; "
        "default: verse",
    )
    write.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    for name, field in PoemRequest.model_fields.items():
        flag, meaning = "--" + name.replace("_", "-"), field.description
        if name == "spec":
            write.add_argument(flag, type=Path, help="JSON file of a form of your own")
        elif name == "strict":
            write.add_argument(
                "--best-effort",
                dest=name,
                action="store_const",
                const=False,
                help="give up a part of the form where no line keeps it, and say where",
            )
        elif name in ("modern", "allow_copies"):
            write.add_argument(flag, action="store_const", const=True, help=meaning)
        elif name in WORD_FIELDS:
            write.add_argument(flag, nargs="+", metavar="WORD", help=meaning)
        else:
            write.add_argument(flag, type=_FLAG_TYPES.get(name, str), help=meaning)
    write.add_argument("--report", action="store_true", help="print each line's checks after it")
    write.add_argument("--json", action="store_true", help="print poem and report as JSON")
    write.set_defaults(run=run_write)


def run_write(args: argparse.Namespace) -> int:
    """Run `write`: print a poem line by line, then what its report says in short."""
    given = {name: getattr(args, name) for name in PoemRequest.model_fields}
    fields = {name: value for name, value in given.items() if value is not None}
    if args.spec is not None:
        fields["spec"] = spec_of(args.spec)
    request = PoemRequest.checked(**fields)
    spec = request.poem_spec()
    loaded = checkpoints.load(local_folder(args.checkpoint), resolve_device(args.device))
    decoder = decoder_of(loaded.network)
    voice = voice_of(loaded, decoder)
    try:
        poem = write_poem(
            decoder, voice, request, lambda line: None if args.json else _say(line, spec)
        )
    except CompositionError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 1
    report = report_of(poem, spec, voice.copy_index)
    if args.json:
        print(json_text({"text": poem.text, "seed": poem.seed, "report": report.to_dict()}), end="")
    elif args.report:
        print("\n" + shown(report_text(report, with_marks=True)), end="")
    else:
        print(f"seed {poem.seed}", file=sys.stderr)
    return 0


def _say(line: ComposedLine, spec: PoemSpec) -> None:
    """Print a line as soon as it is there, and its alternatives beside it."""
    is_last = line.number == len(spec.lines)
    print(shown(line.text), end="\n\n" if line.ends_stanza and not is_last else "\n", flush=True)
    for each in line.alternatives:
        print(shown(f"    or  {each}"))
