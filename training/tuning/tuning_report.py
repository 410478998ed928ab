"""Report of a hyperparameter search: a page with plots, the best fields as a command and a preset.

Reads the study and nothing else, so it can be written while others search on.
"""

import json
import math
import shlex
import warnings
from collections.abc import Iterator, Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from model.atomic_write import write_file
from training.command_line import TRAIN, flag_words, text_words
from training.figure_file import save_figure
from training.train_config import TrainConfig
from training.tuning.optuna_study import ASKED, FACTS, WHY, best_of
from training.tuning.study_folder import StudyFolder
from training.tuning.trials import format_value
from training.tuning.tuning_plots import (
    plot_history,
    plot_importances,
    plot_slices,
    plot_validations,
)

PAGE = "README.md"
# PED-ANOVA asks what sets the best quarter apart; of fewer trials that would be one or two.
BEST_QUARTER = 0.25
ENOUGH_TRIALS = 8


def write_study_report(study: Study, folder: StudyFolder) -> None:
    """Write report/ and, once a trial is complete, best.toml."""
    folder.report.mkdir(parents=True, exist_ok=True)
    trials = study.get_trials(deepcopy=False)
    best, importances = best_of(study), importances_of(study)
    save_figure(plot_history(trials), folder.report / "history.png")
    save_figure(plot_validations(trials), folder.report / "validations.png")
    save_figure(plot_slices(trials, _fields(study)), folder.report / "slices.png")
    shares = folder.report / "importances.png"
    if importances:
        save_figure(plot_importances(importances), shares)
    else:
        shares.unlink(missing_ok=True)
    page = "\n".join(_page(study, folder, trials, best, importances))
    write_file(folder.report / PAGE, page + "\n")
    if best is not None:
        write_file(folder.best, preset(study, best))


def importances_of(study: Study) -> dict[str, float]:
    """Compute each field's share in what sets the best trials apart (Watanabe et al. 2023)."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < ENOUGH_TRIALS:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all losses equal: then the shares are, too
        evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_QUARTER)
        return get_param_importances(study, evaluator=evaluator)


def command(study: Study, best: FrozenTrial) -> str:
    """Format the command line that trains with the best fields."""
    fields, asked = study.user_attrs[FACTS]["fields"], study.user_attrs[ASKED]
    given = {name: fields[name] for name in asked["given"] if name in fields}
    parts = [*TRAIN, "--preset", fields["preset"]]
    for name, value in {**given, **best.params}.items():
        parts += flag_words(name, value)
    return shlex.join([*parts, *text_words(asked["corpus"], asked["valid_corpus"])])


def preset(study: Study, best: FrozenTrial) -> str:
    """Format the best fields, and those that all trials share, as a preset file."""
    fields = {**study.user_attrs[FACTS]["fields"], **best.params}
    lines = [f"# Study {study.study_name}, trial {best.number}: {best.value:.4f} nats."]
    for name, field in TrainConfig.model_fields.items():
        value = fields.get(name)
        is_said = name in best.params or value != field.get_default(call_default_factory=True)
        if value is not None and is_said and name != "preset":
            # JSON's strings, numbers, true and false are TOML's, too.
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _fields(study: Study) -> list[str]:
    return list(study.user_attrs[FACTS]["space"])


def _page(
    study: Study,
    folder: StudyFolder,
    trials: list[FrozenTrial],
    best: FrozenTrial | None,
    importances: Mapping[str, float],
) -> Iterator[str]:
    yield f"# Study {study.study_name}"
    yield ""
    yield from _facts(study, trials)
    yield from _best(study, folder, best)
    yield from _importances(importances)
    yield from ("", "## Trials", "", "![losses by trial](history.png)")
    yield from ("", "![validation losses of all trials](validations.png)")
    yield from ("", "![losses by field](slices.png)", "")
    yield from _trials(trials, _fields(study))


def _facts(study: Study, trials: list[FrozenTrial]) -> Iterator[str]:
    fields = study.user_attrs[FACTS]["fields"]
    budget = next(f"{fields[b]} {b}" for b in ("minutes", "epochs", "steps") if fields[b])
    counts = {state: sum(t.state == state for t in trials) for state in TrialState}
    yield from ("| fact | value |", "| --- | --- |")
    yield f"| preset | {fields['preset']} |"
    yield f"| corpus | {', '.join(study.user_attrs[ASKED]['corpus'])} |"
    yield f"| budget of a trial | {budget} |"
    for state, count in counts.items():
        if count:
            yield f"| trials {_word(state)} | {count} |"


def _best(study: Study, folder: StudyFolder, best: FrozenTrial | None) -> Iterator[str]:
    yield from ("", "## Best", "")
    if best is None or best.value is None:
        yield "No trial has come to its end yet."
        return
    bits = best.value / math.log(2)
    yield f"Trial {best.number}: {best.value:.4f} nats, {bits:.4f} bits per character."
    yield from ("", "| field | best | searched |", "| --- | --- | --- |")
    for name, value in best.params.items():
        yield f"| `{name}` | {format_value(value)} | {_range(best.distributions[name])} |"
    asked = study.user_attrs[ASKED]
    texts = text_words(asked["corpus"], asked["valid_corpus"])
    short = shlex.join([*TRAIN, "--preset", str(folder.best), *texts])
    yield from ("", "```sh", command(study, best), "```", "")
    yield from (f"The same, from `{folder.best.name}`:", "", "```sh", short, "```")


def _range(field: object) -> str:
    if isinstance(field, CategoricalDistribution):
        return ", ".join(map(format_value, field.choices))
    assert isinstance(field, IntDistribution | FloatDistribution)  # noqa: S101
    return f"{format_value(field.low)} to {format_value(field.high)}{', log' if field.log else ''}"


def _importances(importances: Mapping[str, float]) -> Iterator[str]:
    yield from ("", "## What matters", "")
    if not importances:
        yield f"Importances need {ENOUGH_TRIALS} complete trials."
        return
    yield "Shares in what sets the best quarter of the complete trials apart (PED-ANOVA)."
    yield from ("", "![importances](importances.png)", "", "| field | share |", "| --- | --- |")
    for name, share in importances.items():
        yield f"| `{name}` | {share:.2f} |"


def _trials(trials: list[FrozenTrial], fields: list[str]) -> Iterator[str]:
    columns = ("trial", "end", "nats", "minutes", *fields)
    yield "| " + " | ".join(columns) + " |"
    yield "|" + " --- |" * len(columns)
    for trial in trials:
        nats = trial.value if trial.value is not None else _last_validation(trial)
        minutes = trial.duration.total_seconds() / 60 if trial.duration is not None else None
        cells = [trial.number, _end(trial), nats, minutes, *(trial.params.get(f) for f in fields)]
        shown_cells = ("" if cell is None else format_value(cell) for cell in cells)
        yield "| " + " | ".join(shown_cells) + " |"


def _last_validation(trial: FrozenTrial) -> float | None:
    return trial.intermediate_values[trial.last_step] if trial.last_step is not None else None


def _end(trial: FrozenTrial) -> str:
    reason = trial.user_attrs.get(WHY)
    return _word(trial.state) if reason is None else f"left out: {reason}".replace("|", "\\|")


def _word(state: TrialState) -> str:
    return {TrialState.FAIL: "cut short"}.get(state, state.name.lower())
