"""Command line of `train` that has given fields: for a report, and for a run that goes on longer.

Knows nothing of how flags are read.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from model.errors import ParameterError
from training.flag_names import flag_of
from training.run_folder import free_name
from training.train_config import (
    ANTHOLOGY,
    BUDGETS,
    DEFAULT_PRESET,
    FINE_TUNING_PRESET,
    INHERITED,
    ORIGIN,
    TrainConfig,
    resolve,
)

TRAIN = ("strophe", "train")
_PLACES = ("runs_dir", "checkpoints_dir")
_TEXTS = ("corpus", "valid_corpus")


def flag_words(name: str, value: object) -> list[str]:
    """Format a field as words of a command line."""
    flag = flag_of(name)
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if isinstance(value, tuple | list):
        return [flag, *map(str, value)]
    # As the command line reads it.
    text = str(value).replace("\n", "\\n") if name == "document_separator" else str(value)
    return [flag, text]


def text_words(corpus: Sequence[str], valid_corpus: Sequence[str]) -> Iterator[str]:
    """Format the texts of a run as words of a command line; none where they are the default."""
    if list(corpus) != [str(ANTHOLOGY)]:
        yield from flag_words("corpus", list(corpus))
    if valid_corpus:
        yield from flag_words("valid_corpus", list(valid_corpus))


def longer_command(config: TrainConfig, given: Mapping[str, object]) -> str:
    """Format the command that trains on from a run's checkpoint, with the `given` fields changed.

    A new run, with the network and vocabulary of the old one and the rest of its fields.
    """
    name = config.name if config.name is not None else "run"
    new = config.model_copy(update={"corpus": (name,)})
    origin = flag_words("init_from", config.checkpoints_dir / name)
    words = [*TRAIN, *origin, "--name", free_name(new)]
    fields = {**_own_fields(config, given), **given}
    for field, value in fields.items():
        if field not in (*INHERITED, *_TEXTS, "name", *ORIGIN):
            words += flag_words(field, value)
    return shlex.join([*words, *text_words(config.corpus, config.valid_corpus)])


def _own_fields(config: TrainConfig, given: Mapping[str, object]) -> dict[str, object]:
    """Find the fields of a run that are not its preset's; without its budget, if one is given."""
    name = config.preset
    try:
        preset = resolve(name, {}).model_dump()
    except ParameterError:  # a file that is gone
        name = DEFAULT_PRESET
        preset = resolve(name, {}).model_dump()
    chosen = {} if name == FINE_TUNING_PRESET else {"preset": name}
    fields = config.model_dump()
    left_out = {"preset", *(BUDGETS if given.keys() & set(BUDGETS) else ())}
    own = {name: fields[name] for name in fields if fields[name] != preset[name]}
    return chosen | {n: v for n, v in own.items() if n not in left_out and v is not None}
