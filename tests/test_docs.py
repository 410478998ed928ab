"""The documents name every flag, preset, setting, request field, route and metric there is."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import get_args

import list_modules
import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import model.__main__
import training.__main__
import verse.__main__
from model.config import ModelConfig
from model.description import Description
from service.api.generate import GenerateRequest
from service.api.inspect import InspectRequest
from service.api.openai.chat_body import ChatRequest
from service.api.openai.completions_body import CompletionRequest
from service.api.score import ScoreRequest
from service.api.tokenization import DetokenizeRequest, TokenizeRequest
from service.api.verse.analyze import AnalyzeRequest
from service.api.verse.poems import PoemBody
from service.api.verse.rhymes import RhymesRequest
from service.openapi import error_catalogue
from service.server.request_framing import MAX_HEAD
from service.server.request_head import MAX_HEADER, MAX_HEADERS, MAX_REQUEST_LINE
from service.server.service_process import Service
from service.settings import Settings
from training.cell_study.cell_study_config import CellStudyConfig
from training.flag_names import flag_of
from training.train_config import ANTHOLOGY, PRESETS, TrainConfig, preset_names
from verse.forms import LineSpec
from verse.report import CheckKind

pytest_plugins = ["service_fixtures"]

ROOT = Path(__file__).parent.parent


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def training_row(name: str, field: FieldInfo) -> str:
    """How docs/training.md shows a field."""
    default = field.get_default(call_default_factory=True, validated_data={})
    shown = "" if default in (None, ()) else f"`{default!r}`".replace("'", "")
    if name == "document_separator":
        shown = "what the text shows"
    elif name == "corpus":
        shown = "the anthology"
    elif isinstance(default, Path):
        shown = f"`{default}`"
    description = str(field.description).replace("|", "\\|")
    return f"| `{flag_of(name)}` | {shown} | {description} |"


TRAINING_FIELDS = TrainConfig.model_fields


@pytest.mark.parametrize("name", TRAINING_FIELDS)
def test_every_training_field_stands_in_the_manual_with_default_and_help(name: str) -> None:
    assert training_row(name, TRAINING_FIELDS[name]) in document("docs/training.md")


@pytest.mark.parametrize("name", CellStudyConfig.model_fields)
def test_every_field_of_a_study_stands_in_its_manual_with_default_and_help(name: str) -> None:
    assert training_row(name, CellStudyConfig.model_fields[name]) in document("docs/study.md")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_stands_in_the_manual(name: str) -> None:
    assert f"| `{name}` |" in document("docs/training.md")
    tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("model_class", [ModelConfig, Description])
def test_every_key_of_config_json_is_documented(model_class: type[BaseModel]) -> None:
    text = document("docs/checkpoint-format.md")
    prefix = "architecture." if model_class is ModelConfig else ""
    missing = [n for n in model_class.model_fields if f"`{prefix}{n}" not in text]
    assert not missing


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            *(*GenerateRequest.model_fields, *ScoreRequest.model_fields),
            *(*InspectRequest.model_fields, *PoemBody.model_fields, *RhymesRequest.model_fields),
        }
    ),
)
def test_every_request_field_stands_in_the_api(name: str) -> None:
    assert f"| `{name}` |" in document("docs/api.md")


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            *(*CompletionRequest.model_fields, *ChatRequest.model_fields),
            *(*TokenizeRequest.model_fields, *DetokenizeRequest.model_fields),
            *(*AnalyzeRequest.model_fields, *LineSpec.model_fields),
        }
    ),
)
def test_every_field_of_other_servers_contracts_stands_in_the_api(name: str) -> None:
    assert f"`{name}`" in document("docs/api.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_operations_manual(name: str) -> None:
    assert f"| `STROPHE_{name.upper()}` |" in document("docs/operations.md")


def test_the_operations_manual_has_the_table_of_timeouts() -> None:
    """Each constant with its value and the string below it, in the module's order."""
    body = ast.parse(document("service/timeouts.py")).body[1:]
    rows = []
    for number, meaning in zip(body[::2], body[1::2], strict=True):
        assert isinstance(number, ast.Assign)
        assert isinstance(meaning, ast.Expr)
        name, seconds = ast.unparse(number.targets[0]), ast.literal_eval(number.value)
        rows.append(f"| `{name}` | {seconds:,} | {ast.literal_eval(meaning.value)} |")
    table = "| Name | Seconds | What it decides |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n\n"
    assert table in document("docs/operations.md"), table


def test_every_route_stands_in_the_api(service: Service) -> None:
    text = document("docs/api.md")
    for rule in service.app.url_map.iter_rules():
        path = re.sub(r"<(?:[a-z]+:)?(?:job_)?([a-z]+)>", r"<\1>", str(rule))
        method = "POST" if rule.methods is not None and "POST" in rule.methods else "GET"
        assert re.search(rf"`{method} {re.escape(path)}`|`{method} /v1/models/<name>`", text), rule


def test_the_manual_and_the_document_know_the_same_errors() -> None:
    table = document("docs/api.md").partition("## Errors")[2].partition("What is not even HTTP")[0]
    shown = {
        code
        for row in re.findall(r"^\| [0-9, ]+ \| (.*?) \|", table, flags=re.MULTILINE)
        for code in re.findall(r"`(\w+)`", row)
    }
    told = {
        each.code
        for each in vars(error_catalogue).values()
        if isinstance(each, error_catalogue.ErrorSpec)
    }
    # Those are of no route, or come before one is looked for; the document tells of them in words.
    of_none = {"method_not_allowed", "origin_not_allowed"}
    before = {"request_timeout", "request_line_too_long", "expectation_failed", "head_too_long"}
    before |= {"unsupported_transfer_encoding", "crowded"}
    assert shown - of_none - before == told - {None}


def test_the_limits_of_a_head_stand_in_the_manuals() -> None:
    for name in ("docs/api.md", "docs/operations.md"):
        text = document(name)
        limits = (MAX_REQUEST_LINE, MAX_HEADERS, MAX_HEADER, MAX_HEAD // 1024)
        assert all(f" {limit:,} " in text for limit in limits), name


def test_every_metric_stands_in_the_operations_manual(
    service: Service, client: FlaskClient
) -> None:
    exposition = client.get("/metrics").text
    names = set(re.findall(r"^# TYPE (strophe_\w+) ", exposition, flags=re.MULTILINE))
    names = {name for name in names if not name.endswith("_created")}
    assert len(names) > 10
    text = document("docs/operations.md")
    assert not [name for name in names if f"`{name}" not in text]


@pytest.mark.parametrize("module", [model.__main__, training.__main__, verse.__main__])
def test_every_command_says_what_each_flag_means(
    module: ModuleType,
) -> None:
    commands = module.build_parser()._subparsers._group_actions[0].choices
    for parser in commands.values():
        assert all(action.help for action in parser._actions), parser.prog


@pytest.mark.parametrize("kind", get_args(CheckKind))
def test_every_check_of_a_poem_stands_in_its_manual(kind: str) -> None:
    assert f"`{kind}`" in document("docs/verse.md")


def test_the_list_of_modules_is_of_this_tree() -> None:
    assert document("docs/modules.md") == list_modules.page(), "run make modules"


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(document("README.md").splitlines()) <= 130


def test_the_corpus_page_counts_what_the_corpus_holds() -> None:
    poems = ANTHOLOGY.read_text(encoding="utf-8").strip("\n").split("\n\n\n")
    lines = sum(1 for poem in poems for line in poem.split("\n")[1:] if line)
    page = document("training/corpora/README.md")
    assert f"{len(poems)} poems and songs, {lines:,} lines" in page


def anchors(page: Path) -> set[str]:
    """Names that GitHub gives the headings of a page: small letters, digits, and - for a space."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    found, times = set(), Counter[str]()
    for heading in re.findall(r"^#+ +(.+?) *$", text, flags=re.M):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "]", heading).lower())
        slug = name.replace(" ", "-")
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return found


LINKED_PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "training/corpora/README.md",
]


def test_links_between_documents_lead_to_a_page_and_a_heading() -> None:
    dead = []
    for page in [*(ROOT / name for name in LINKED_PAGES), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^):]+)\)", page.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            file = page.parent / target if target else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                dead.append(f"{page.name} -> {link}")
    assert dead == []


def test_every_flag_of_a_search_stands_in_the_manual() -> None:
    module: ModuleType = training.__main__
    commands = module.build_parser()._subparsers._group_actions[0].choices
    flags = {action.option_strings[0] for action in commands["tune"]._actions}
    own = flags - {f"--{name.replace('_', '-')}" for name in TRAINING_FIELDS} - {"-h"}
    text = document("docs/training.md")
    assert not [flag for flag in own if f"| `{flag}` |" not in text]
