"""Examples of the README and docs/api.md: typed in, each gives what is shown.

Every example runs against a real service with the model that ships, on a port of its own. Ids
and times are masked, and so is where the pieces of a stream end; all else must be as it is shown.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from document_blocks import START, Block, blocks_of, comparable

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
BLOCKS = [block for page in ("README.md", "docs/api.md") for block in blocks_of(ROOT / page)]
RUNS = {"python": [sys.executable, "-"], "js": ["node", "--input-type=module", "-"]}
CALL = re.compile(r"^\$ (curl|for) ", flags=re.MULTILINE)

CALLS = [block for block in BLOCKS if CALL.search(block.text)]
PROGRAMS = [
    (block, after)
    for block, after in zip(BLOCKS, [*BLOCKS[1:], None], strict=True)
    if block.language in RUNS
]

ServerFor = Callable[[Block], "Server"]


@pytest.fixture(scope="module")
def server_for(start_server: "StartServer", tmp_path_factory: pytest.TempPathFactory) -> ServerFor:
    """A service with the models that ship alone, and the settings that a block is about."""
    started: dict[tuple[tuple[str, str], ...], Server] = {}
    nothing = str(tmp_path_factory.mktemp("checkpoints"))

    def server(block: Block) -> "Server":
        if block.settings not in started:
            own = {
                "STROPHE_CHECKPOINTS": nothing,
                "STROPHE_DEFAULT_MODEL": "",
                "STROPHE_SHIPPED": "",
            }
            started[block.settings] = start_server(**own, **dict(block.settings))
        return started[block.settings]

    return server


def output_of(command: list[str], typed: str, server: "Server") -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    sent = re.sub(r"(localhost|127\.0\.0\.1):8000", f"127.0.0.1:{server.port}", typed)
    assert sent != typed, "it does not call the service"
    run = subprocess.run(
        command, input=sent, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    return comparable(run.stdout)


@pytest.mark.parametrize("block", CALLS, ids=lambda block: block.place)
def test_what_is_typed_gives_what_is_shown(server_for: ServerFor, block: Block) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for typed, shown in block.commands():
        assert output_of(["bash"], typed, server_for(block)) == comparable(shown)


@pytest.mark.parametrize(("block", "after"), PROGRAMS, ids=lambda block: block.place)
def test_a_program_writes_what_is_shown_below_it(
    server_for: ServerFor, block: Block, after: Block | None
) -> None:
    assert after is not None
    assert after.language == "text", "an example shows what it writes"
    output = output_of(RUNS[block.language], block.text, server_for(block))
    assert output == comparable(after.text)


def test_no_example_is_passed_over() -> None:
    """Terminals that call nothing show no output, so there is nothing in them that could drift."""
    others = [b for b in BLOCKS if b.language == "console" and b not in CALLS]
    silent = [b for b in others if START.fullmatch(b.text) or not any(o for _, o in b.commands())]
    assert others == silent
    assert {block.language for block, _ in PROGRAMS} == {"python", "js"}
    assert len(CALLS) >= 8
