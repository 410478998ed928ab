"""Generator of docs/modules.md: every module with the first line of its docstring and its names.

Read with `ast`, so nothing of the project is imported. A test compares the page with what this
module makes of the tree. Knows nothing of what the modules do.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "modules.md"
PACKAGES = ("model", "training", "verse", "service")
COMMAND = ROOT / "strophe.py"
TABLE = "| module | is for | names |\n| --- | --- | --- |"
OPENING = """# Modules

Every module by room: what its docstring opens with, and the classes and functions that others may
use. Made from the code by `make modules`; to find something, search this page.
"""


def page() -> str:
    """Markdown of the whole page: a heading a room, a table row a module."""
    return "\n".join([OPENING, command(), *(line for room in rooms() for line in section(room))])


def command() -> str:
    """Table of the console command, which lies beside the packages."""
    return "\n".join(["## strophe.py\n", TABLE, row(COMMAND), ""])


def rooms() -> Iterator[Path]:
    """Folders that hold modules, each package before its rooms."""
    for package in PACKAGES:
        folders = {path.parent for path in (ROOT / package).rglob("*.py")}
        yield from sorted(folders)


def section(room: Path) -> Iterator[str]:
    """Heading, purpose and modules of one room."""
    yield f"## {room.relative_to(ROOT).as_posix()}/\n"
    if purpose := first_line(room / "__init__.py"):
        yield f"{purpose}\n"
    modules = [path for path in sorted(room.glob("*.py")) if path.name != "__init__.py"]
    if modules:
        yield TABLE
        yield from (row(path) for path in modules)
        yield ""


def row(path: Path) -> str:
    """Table row of one module."""
    names = ", ".join(f"`{name}`" for name in public_names(path))
    return f"| `{path.name}` | {in_cell(first_line(path))} | {names} |"


def public_names(path: Path) -> list[str]:
    """Classes and functions of a module that do not begin with an underscore, as they stand."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = [node.name for node in tree.body if isinstance(node, kinds)]
    return [name for name in found if not name.startswith("_")]


def first_line(path: Path) -> str:
    """Opening paragraph of a module's docstring, on one line; empty where there is none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def in_cell(text: str) -> str:
    """Text as a table's cell may hold it."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
