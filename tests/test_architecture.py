"""The shape of the code: who may import whom, and how big a file or a function may grow.

Read with `ast`, so nothing is imported and unfinished packages are checked as far as they are.
"""

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("model", "training", "verse", "service")
EXTRAS_OF = {
    "model": (),
    "training": ("train", "texts"),
    "verse": (),
    "service": ("serve", "trace"),
}
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
# The map of the service, from the ground up: what each room, or file beside the rooms, imports of
# the others. Nobody imports `server` but the command; the engine knows of no HTTP.
SERVICE_ROOMS = {
    "timeouts": set(),
    "version": set(),
    "compose_variables": set(),
    "setting_types": set(),
    "settings": {"compose_variables", "setting_types"},
    "request_ids": set(),
    "client_connection": set(),
    "file_identity": set(),
    "error_answers": {"timeouts"},
    "engine": {"timeouts"},
    "models": {"engine", "file_identity", "timeouts"},
    "access": {"error_answers", "file_identity", "settings", "timeouts"},
    "observability": {"engine", "error_answers", "timeouts", "version"},
    "api": {
        "access",
        "client_connection",
        "engine",
        "error_answers",
        "models",
        "observability",
        "request_ids",
        "settings",
        "timeouts",
    },
    "web": {"access"},
    "openapi": {"access", "api", "error_answers", "settings", "version", "web"},
    "app": {
        "access",
        "api",
        "client_connection",
        "engine",
        "models",
        "observability",
        "openapi",
        "request_ids",
        "settings",
        "web",
    },
    "server": {
        "access",
        "app",
        "engine",
        "error_answers",
        "models",
        "observability",
        "settings",
        "timeouts",
    },
    "__main__": {"server"},
}
LATER_STDLIB = {"compression"}  # of the standard library from Python 3.14 on
SINKS = {"utils", "util", "common", "helpers", "helper", "misc"}

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
FILES["strophe"] = ROOT / "strophe.py"  # the console command, above all three


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


@cache
def names_imported(module: str) -> set[str]:
    """Every dotted name that `module` imports, wherever in the file: `from a import b` is a.b."""
    names = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def importers(inside: str, imported: str) -> list[str]:
    """The modules inside one package that import another package."""
    return [
        module
        for module in FILES
        if is_inside(module, inside)
        and any(is_inside(name, imported) for name in names_imported(module))
    ]


def own_imports(module: str) -> set[str]:
    """The modules of ours that `module` imports."""
    found = set()
    for name in names_imported(module):
        owner = name if name in FILES else name.rpartition(".")[0]
        if owner in FILES and owner != module:
            found.add(owner)
    return found


def room_of(module: str) -> str:
    """`service.api.openai.prompts` -> `service.api`; a file beside the rooms is a room itself."""
    return ".".join(module.split(".")[:2])


def room_imports(package: str) -> dict[str, set[str]]:
    """The rooms of a package that each of its rooms imports."""
    rooms: dict[str, set[str]] = {}
    for module in FILES:
        if is_inside(module, package) and module != package:
            room = room_of(module)
            others = {room_of(name) for name in own_imports(module) if is_inside(name, package)}
            rooms[room] = rooms.get(room, set()) | others - {room, package}
    return rooms


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of_strings(node: ast.AST) -> set[int]:
    """The lines of docstrings, the function's own and those of functions inside it."""
    return {
        line
        for child in ast.walk(node)
        if isinstance(child, ast.Expr)
        and isinstance(child.value, ast.Constant)
        and isinstance(child.value.value, str)
        for line in range(child.lineno, (child.end_lineno or child.lineno) + 1)
    }


def num_code_lines(module: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    source = FILES[module].read_text(encoding="utf-8").splitlines()
    numbers = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    code = (source[number - 1].strip() for number in numbers - lines_of_strings(function))
    return sum(1 for line in code if line and not line.startswith("#"))


def distribution_name(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def declared(package: str) -> set[str]:
    """The distributions that pyproject installs for one package: core, and its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = list(project["dependencies"])
    for extra in EXTRAS_OF[package]:
        requirements += project["optional-dependencies"][extra]
    names = (requirement.split(";")[0].split("[")[0] for requirement in requirements)
    return {
        distribution_name("".join(name.split("=")[0].rstrip("<>~! ").split())) for name in names
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_looked_at(package: str) -> None:
    assert package in FILES


@pytest.mark.parametrize(
    ("inside", "imported"),
    [
        ("model", "training"),
        ("model", "service"),
        ("model", "verse"),
        ("verse", "training"),
        ("verse", "service"),
        ("training", "verse"),
        ("verse.prosody", "model"),
        ("verse.prosody", "torch"),
        ("training", "service"),
        ("service", "training"),
        ("model", "flask"),
        ("training", "flask"),
        ("model.decoding.backends", "model.decoding.decoder"),
        ("model.decoding.backends", "model.decoding.decode_loop"),
        ("training.data", "model.network"),
        ("training.data", "training.optimization"),
        ("training.data", "training.evaluation"),
        ("training.optimization", "training.evaluation"),
        ("training.evaluation", "training.optimization"),
        ("training.evaluation", "training.run"),
        ("training.tuning", "training.cell_study"),
        ("training.cell_study", "training.run"),
        ("training.cell_study", "training.tuning"),
        ("service.engine", "flask"),
        ("service.engine", "werkzeug"),
        ("service.engine", "gunicorn"),
    ],
)
def test_a_package_does_not_import_another(inside: str, imported: str) -> None:
    assert importers(inside, imported) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_knows_of_the_console_command(package: str) -> None:
    assert importers(package, "strophe") == []


def test_the_console_command_imports_no_package_but_by_name() -> None:
    assert own_imports("strophe") == {"service.version"}


def test_only_one_module_needs_what_the_service_can_do_without() -> None:
    assert importers("service", "opentelemetry") == ["service.observability.spans"]


def test_only_the_server_and_the_reader_of_bodies_import_gunicorn() -> None:
    outside = {m for m in importers("service", "gunicorn") if not is_inside(m, "service.server")}
    assert outside == {"service.api.request_body"}


def test_only_the_runner_of_the_service_touches_tensors() -> None:
    assert set(importers("service", "torch")) <= {"service.engine.runner"}


def test_modules_do_not_import_one_another_in_a_circle() -> None:
    sorter = TopologicalSorter({module: own_imports(module) for module in FILES})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_do_not_import_one_another_in_a_circle(package: str) -> None:
    try:
        TopologicalSorter(room_imports(package)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_rooms_of_the_service_import_one_another_as_the_map_says() -> None:
    actual = {
        room.removeprefix("service."): {other.removeprefix("service.") for other in others}
        for room, others in room_imports("service").items()
    }
    assert actual == SERVICE_ROOMS


def test_the_map_of_the_service_goes_from_the_ground_up() -> None:
    for number, (room, allowed) in enumerate(SERVICE_ROOMS.items()):
        assert allowed <= set(list(SERVICE_ROOMS)[:number]), room


def test_nothing_private_is_imported_from_another_module() -> None:
    private = {
        (module, name)
        for module in FILES
        for name in names_imported(module)
        if name.split(".")[0] in PACKAGES
        and any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
    }
    assert private == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_from_elsewhere_is_declared(package: str) -> None:
    known, installed = declared(package), packages_distributions()
    used = {
        name.split(".")[0]
        for module in FILES
        if is_inside(module, package)
        for name in names_imported(module)
    }
    foreign = used - set(sys.stdlib_module_names) - LATER_STDLIB - set(PACKAGES)
    undeclared = {
        name
        for name in foreign
        if not known & {distribution_name(owner) for owner in installed.get(name, [name])}
    }
    assert undeclared == set()


def test_every_module_opens_with_what_it_is_for() -> None:
    assert [module for module in FILES if not ast.get_docstring(tree_of(module))] == []


def test_base_names_of_modules_are_unique_across_the_packages() -> None:
    counts = Counter(path.name for path in FILES.values())
    twice = {name for name, count in counts.items() if count > 1}
    assert twice <= {"__init__.py", "__main__.py"}


def test_no_module_is_a_sink() -> None:
    assert [module for module in FILES if module.split(".")[-1] in SINKS] == []


def test_only_commands_print() -> None:
    printing = {
        module
        for module in FILES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and not module.endswith("__main__")
        and not any(is_inside(module, f"{package}.commands") for package in PACKAGES)
    }
    assert printing == set()


def test_no_file_is_too_long() -> None:
    lengths = {
        module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in FILES.items()
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{module}.{function.name}": num_code_lines(module, function)
        for module in FILES
        for function in functions(module)
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}
