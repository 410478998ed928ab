"""Modules that gunicorn's master loads before the fork: few, and none that starts threads."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = ("flask", "werkzeug", "prometheus_client", "numpy", "sentencepiece", "torch")


def test_the_master_loads_neither_the_application_nor_the_model() -> None:
    # The worker loads them after the fork: torch and its threads do not survive one, and what the
    # master has loaded stays in memory beside the worker.
    code = "import service.__main__, sys; print(*(set(sys.argv[1:]) & set(sys.modules)))"
    command = [sys.executable, "-c", code, *HEAVY]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []
