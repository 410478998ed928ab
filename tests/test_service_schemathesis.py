"""Schemathesis reads the document and looks for where the service does otherwise.

Its own command against a real server: requests that are valid and wrong in every way, with
all checks. CONTRIBUTING.md has the command of a long run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from callers import ALICE, KEYS

from model import checkpoint as checkpoints
from model.extra_files import COPIES
from training.data.copy_indexing import copy_index_of
from training.data.document_store import StoredText

if TYPE_CHECKING:
    from service_fixtures import StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def test_the_service_does_what_its_document_says(
    start_server: "StartServer", worded_checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoints" / "tiny"
    shutil.copytree(worded_checkpoint, folder)
    index = copy_index_of([StoredText("a poem", True, "poems.txt", 1)])
    checkpoints.add_file(folder, COPIES, index.serialized, facts={}, card="# A test\n")
    server = start_server(
        STROPHE_CHECKPOINTS=str(folder.parent),
        STROPHE_API_KEYS=KEYS,
        STROPHE_MAX_TOKENS="8",
        STROPHE_MAX_PROMPT="300",
        STROPHE_MAX_STREAMS="64",
        STROPHE_MAX_QUEUE="256",
    )
    document = f"{server.url}/openapi.json"
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis as run; run()"]
    command += ["--config-file", str(HERE / "schemathesis.toml")]
    # Not its phase of coverage, some 2,000 requests: it belongs to the long run.
    phases = ["--phases", "examples,fuzzing", "--max-examples", "10", "--seed", "1"]
    options = ["--header", f"Authorization: Bearer {ALICE}", *phases]
    run = subprocess.run(
        [*command, "run", document, *options, "--no-color", "--warnings", "off"],
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": f"{HERE}:{HERE.parent}",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    tested = re.search(r"Operations: +(\d+) selected / (\d+) total", run.stdout)
    assert tested is not None
    assert tested[1] == tested[2], run.stdout
    assert int(tested[1]) >= 14  # all but the document itself
