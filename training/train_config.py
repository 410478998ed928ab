"""Configuration of a training run: every field with its help, read from a preset, then flags.

Validated once, frozen, and stored in the run folder, so that a run can be resumed as it was.
Knows nothing of torch.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from model.config import NetworkShape, Width
from model.description import MAX_PURPOSE
from model.errors import ParameterError, shortened
from model.validation import validated_fields
from training.data.corpus_options import CorpusOptions
from training.flag_names import flag_of

PRESETS = Path(__file__).parent / "presets"
ANTHOLOGY = Path(__file__).parent / "corpora" / "anthology.txt"
BUDGETS = ("minutes", "epochs", "steps")
# What `init_from` brings with it: the network and the vocabulary.
INHERITED = (*NetworkShape.model_fields, "tokenizer", "vocab_size")
ORIGIN = ("init_from", "widen_to")  # fields of where a run begins
DEFAULT_PRESET, FINE_TUNING_PRESET = "tiny", "fine-tune"

# Fields that are of use only where another has one of these values.
ONLY_WITH: dict[str, tuple[str, tuple[str, ...]]] = {
    "final_learning_rate": ("schedule", ("cosine",)),
    "decay_at": ("schedule", ("step",)),
    "decay_factor": ("schedule", ("step", "plateau")),
    "plateau_patience": ("schedule", ("plateau",)),
}

# Fields of a preset that give way, and those that they give way to when given.
REPLACED_BY: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset(BUDGETS), frozenset(BUDGETS)),
    (frozenset({"dropout_input", "dropout_between", "dropout_output"}), frozenset({"dropout"})),
    (frozenset({"mogrifier_rank"}), frozenset({"mogrifier_rounds"})),
)

Share = Annotated[float, Field(gt=0, lt=1)]


def _run_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        allowed = "1 to 100 of the letters a to z and A to Z, digits, dots, hyphens and underscores"
        raise ValueError(
            f"must be {allowed}, and begin with a letter or a digit, got {shortened(name)}"
        )
    return name


RunName = Annotated[str, AfterValidator(_run_name)]


class RunPaths(CorpusOptions):
    """Fields of a training run that name its preset, its texts, and the folders of its results."""

    preset: str = Field("tiny", description="the preset that the other fields started from")
    corpus: tuple[str, ...] = Field(
        (str(ANTHOLOGY),),
        min_length=1,
        description="files, folders, patterns, - or one prepared folder; default: the anthology",
    )
    valid_corpus: tuple[str, ...] = Field(
        (), description="texts to validate on, instead of a part of the corpus"
    )
    name: RunName | None = Field(None, description="the run's and checkpoint's name")
    purpose: str | None = Field(
        None, min_length=1, max_length=MAX_PURPOSE, description="what it is for, in a few words"
    )
    runs_dir: Path = Field(Path("runs"), description="folder of runs")
    checkpoints_dir: Path = Field(Path("checkpoints"), description="folder of checkpoints")
    init_from: Path | None = Field(
        None,
        description="checkpoint to start from, by its name or folder: its weights, and its "
        "vocabulary with the text's new characters",
    )
    widen_to: Width | None = Field(
        None, description="units a layer of that checkpoint is widened to, at the same logits"
    )


class TrainConfig(NetworkShape, RunPaths):
    """Every field of a training run: text and folders, network, regularization, optimization.

    The fields of text and network stand in the bases, where `prepare` and checkpoints use them,
    too. Their order here is that of the flags: `CorpusOptions`, `RunPaths`, `NetworkShape`.
    """

    # Infinity is not JSON, so a run that has one could not be resumed.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # What keeps it from learning the text by heart.
    dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="locked dropout (Gal & Ghahramani 2016) of each layer's input and of the "
        "output, where the next three do not say otherwise",
    )
    dropout_input: float | None = Field(
        None, ge=0, lt=1, description="locked dropout of the first layer's input"
    )
    dropout_between: float | None = Field(
        None, ge=0, lt=1, description="locked dropout between layers"
    )
    dropout_output: float | None = Field(
        None, ge=0, lt=1, description="locked dropout of what the output layer sees"
    )
    dropout_embedding: float = Field(
        0.0, ge=0, lt=1, description="share of tokens whose whole vector is zero for a window"
    )
    weight_drop: float = Field(
        0.0, ge=0, lt=1, description="dropped share of recurrent weights (Merity et al. 2018)"
    )
    activation_reg: float = Field(
        0.0, ge=0, description="penalty on the squares of what the output layer sees (AR)"
    )
    temporal_activation_reg: float = Field(
        0.0, ge=0, description="penalty on their squared change from step to step (TAR)"
    )

    # How long: one of three.
    minutes: float | None = Field(None, gt=0, description="train for this long")
    epochs: float | None = Field(None, gt=0, description="passes over the training text")
    steps: int | None = Field(None, ge=1, description="weight updates")

    # Optimisation.
    batch_size: int = Field(32, ge=1, le=65_536, description="parallel streams of text")
    sequence_length: int = Field(
        64, ge=2, le=65_536, description="tokens between weight updates (truncated BPTT)"
    )
    vary_lengths: bool = Field(
        False,
        description="windows of random length around sequence_length (Merity et al. 2018)",
    )
    state_reset: float = Field(
        0.05, ge=0, le=1, description="chance, each update, that a stream's carried state is zeroed"
    )
    learning_rate: float = Field(3e-3, gt=0, le=1, description="the highest learning rate")
    warmup: float = Field(0.02, ge=0, lt=1, description="share of the run spent warming up")
    schedule: Literal["cosine", "step", "plateau", "constant"] = Field(
        "cosine",
        description="how the learning rate falls: cosine; step: at decay_at; plateau: where "
        "validation stops gaining; constant: not at all",
    )
    final_learning_rate: float = Field(
        0.02, ge=0, le=1, description="cosine: learning rate at the end, as a share of the highest"
    )
    decay_at: tuple[Share, ...] = Field(
        (0.6, 0.8), description="step: shares of the run at which the learning rate falls"
    )
    decay_factor: float = Field(
        0.1, gt=0, lt=1, description="step, plateau: what the learning rate is multiplied by"
    )
    plateau_patience: int = Field(
        3, ge=1, description="plateau: validations without a gain before the learning rate falls"
    )
    beta1: float = Field(
        0.9, ge=0, lt=1, description="AdamW's first moment decay; 0: RMSProp (Melis et al. 2018)"
    )
    beta2: float = Field(0.99, gt=0, lt=1, description="AdamW's second moment decay")
    weight_decay: float = Field(0.01, ge=0, le=1, description="AdamW's, on weight matrices")
    averaging: float = Field(
        0.0,
        ge=0,
        le=1,
        description="decay of the weights' moving average, which is then what is validated and "
        "kept; 1: the mean of all; 0 keeps the weights themselves",
    )
    averaging_patience: int = Field(
        0,
        ge=0,
        description="average from the moment on when so many validations brought no gain "
        "(triggered averaging, as in Melis et al. 2020); 0: from the start",
    )
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")

    # Measuring and stopping.
    evaluations: int = Field(20, ge=1, le=10_000, description="validations over the run")
    evaluation_tokens: int = Field(
        100_000, ge=1, description="validation tokens used during the run"
    )
    final_evaluation_tokens: int = Field(
        200_000, ge=1, description="validation tokens that the best checkpoint is measured on"
    )
    patience: int = Field(
        8, ge=0, description="stop after this many validations without a gain; 0 never stops"
    )
    save_seconds: float = Field(
        60.0, gt=0, description="time between saves of the state that --resume needs"
    )

    # The machine.
    seed: int = Field(1, ge=0, lt=2**63, description="seed of weights, dropout and batches")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="bf16 autocast where it is fast (auto), always, or never"
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="CPU threads; default: usable cores, or OMP_NUM_THREADS"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of minutes, epochs and steps, not {' and '.join(given)}")
        if not given:
            raise ValueError("say how long to train: minutes, epochs or steps")
        return self

    @property
    def corpus_options(self) -> CorpusOptions:
        """Corpus options: the fields that say how text is split and tokenized."""
        return CorpusOptions.model_validate(
            {name: getattr(self, name) for name in CorpusOptions.model_fields}
        )


def default_preset(given: Mapping[str, object]) -> str:
    """Preset of a run that names none: one for training afresh, or on from a checkpoint."""
    return FINE_TUNING_PRESET if "init_from" in given else DEFAULT_PRESET


def preset_names() -> list[str]:
    """List the names of the presets that ship."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def resolve(preset: str, given: Mapping[str, object]) -> TrainConfig:
    """Build the configuration of a preset, with the given fields in place of its own.

    Some given fields put out others of the preset, too: see REPLACED_BY. Raises ParameterError.
    """
    _require_no_inherited(given)
    replaced = {
        name for names, triggers in REPLACED_BY if given.keys() & triggers for name in names
    }
    own = {name: value for name, value in _read_preset(preset).items() if name not in replaced}
    config = checked({**own, **given, "preset": preset})
    _require_useful(config, given)
    return config


def _require_less(config: TrainConfig, name: str) -> None:
    value, patience = getattr(config, name), config.patience
    if 0 < patience < value:
        raise ParameterError(name, f"is {value}, and patience {patience} ends the run before")


def _require_useful(config: TrainConfig, given: Mapping[str, object]) -> None:
    """Refuse given fields that would be accepted and ignored. Raises ParameterError."""
    for name, (other, values) in ONLY_WITH.items():
        if name in given and (found := getattr(config, other)) not in values:
            raise ParameterError(name, f"is for {other} {' or '.join(values)}, not {found}")
    if "widen_to" in given and config.init_from is None:
        raise ParameterError("widen_to", "is of no use without from")
    if config.averaging_patience > 0:
        if "averaging_patience" in given and config.averaging == 0:
            raise ParameterError("averaging_patience", "is of no use without averaging")
        _require_less(config, "averaging_patience")
    if config.schedule == "plateau":
        _require_less(config, "plateau_patience")
    if config.mogrifier_rank > 0 and config.mogrifier_rounds == 0:
        raise ParameterError("mogrifier_rank", "is of no use without mogrifier_rounds")
    if "dropout_between" in given and config.num_layers == 1:
        raise ParameterError("dropout_between", "is of no use with num_layers 1")


def _require_no_inherited(given: Mapping[str, object]) -> None:
    flags = [flag_of(name) for name in INHERITED if name in given]
    if flags and "init_from" in given:
        problem = f"brings its own network and vocabulary; leave out {', '.join(flags)}"
        raise ParameterError("from", problem)


def _read_preset(name: str) -> dict[str, object]:
    """Read the fields of a preset that ships, or of a TOML file."""
    is_file = name.endswith(".toml")
    if not is_file and name not in preset_names():
        known = ", ".join(preset_names())
        raise ParameterError("preset", f"must be one of {known}, or a .toml file, got {name!r}")
    path = Path(name) if is_file else PRESETS / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not UTF-8 and not TOML are ValueErrors
        reason = getattr(error, "strerror", None) or error
        raise ParameterError("preset", f"{path} cannot be read ({reason})") from error


def checked(fields: Mapping[str, object]) -> TrainConfig:
    """Validate the fields of a training run. Raises ParameterError, which names the field."""
    return validated_fields(TrainConfig, fields)
