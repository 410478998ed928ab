"""Script `deploy/roll`, with a Docker that only keeps names of containers and notes calls."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "deploy" / "roll"
DOCKER = """#!/bin/sh
cd "$FOLDER"
echo "$*" >> calls
case "$*" in
    "compose ps -q replica") ls containers ;;
    "compose up "*) [ -e full ] || touch containers/new-$(wc -l < calls) ;;
    "inspect "*) cat health ;;
    "rm "*) for last; do :; done; rm "containers/$last" ;;
esac
"""


@dataclass(frozen=True)
class Project:
    """Folder that a project's containers are files of, and what its Docker was called with."""

    folder: Path

    @property
    def containers(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "containers").iterdir())

    @property
    def changes(self) -> list[str]:
        calls = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        asked = ("compose ps", "inspect")
        return [" ".join(call.split()[:2]) for call in calls if not call.startswith(asked)]

    def roll(self) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": f"{self.folder}:/usr/bin:/bin",
            "FOLDER": str(self.folder),
            "COMPOSE": "docker compose",
            "ROLL_WAIT_S": "0",
            "ROLL_READY_S": "1",
        }
        return subprocess.run(
            ["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two replicas, and a Docker in whose hands every new one becomes healthy."""
    (tmp_path / "containers").mkdir()
    for name in ("old-1", "old-2"):
        (tmp_path / "containers" / name).touch()
    (tmp_path / "health").write_text("healthy", encoding="utf-8")
    (tmp_path / "docker").write_text(DOCKER, encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    return Project(tmp_path)


def test_each_replica_is_replaced_after_a_new_one_is_there(project: Project) -> None:
    ended = project.roll()
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (0, "roll: replaced 2")
    assert [name.partition("-")[0] for name in project.containers] == ["new", "new"]
    assert project.changes == [
        "compose up",
        "stop -t",
        "rm old-1",
        "compose up",
        "stop -t",
        "rm old-2",
    ]


def test_a_replica_that_does_not_become_ready_is_taken_away_again(project: Project) -> None:
    (project.folder / "health").write_text("starting", encoding="utf-8")
    ended = project.roll()
    assert ended.returncode == 1
    assert "is not ready after 1 s; it is taken away, the old ones stay" in ended.stderr
    assert project.containers == ["old-1", "old-2"]
    assert project.changes == ["compose up", "rm -f"]


def test_nothing_is_stopped_where_no_other_container_came(project: Project) -> None:
    """An old one that is healthy is not taken for the new one."""
    (project.folder / "full").touch()
    ended = project.roll()
    assert ended.returncode == 1
    assert ended.stderr == "roll: compose started no other container of replica\n"
    assert project.changes == ["compose up"]


def test_a_project_that_does_not_run_is_told_so(project: Project) -> None:
    for name in project.containers:
        (project.folder / "containers" / name).unlink()
    ended = project.roll()
    assert (ended.returncode, ended.stderr) == (1, "roll: no container of replica runs\n")
