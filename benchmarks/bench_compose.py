"""Compose benchmark: streams through a project's edge while it is rolled, swapped and restarted.

    STROPHE_REPLICAS=2 STROPHE_RATE_LIMIT=1000000/minute docker compose up -d edge
    python benchmarks/bench_compose.py --roll 3 --swap 2 --kill 3 --redis --edge

The readers check every text, whatever breaks (`checked_readers.py`); what each must be, by either
of two checkpoints, is asked before of a service outside of the containers. The project runs
already; the variable COMPOSE says how it is called (`docker compose --profile scale`).
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from checked_readers import (
    STILL_S,
    Disturbance,
    Readers,
    address_of,
    ask_before,
    drawn,
    exit_code,
    of_model,
)
from disturbances import ROLL_WAIT_S, SWAPPED, write_versions
from measured import ROOT
from replicas import wait_until
from resuming_reader import Tally

COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose --profile scale"))
# What compose is told by, and a service outside of it is not: limits, ports, a default model.
TOLD = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("STROPHE_")}
PLACE = """
import shutil, sys
from pathlib import Path
from model.atomic_write import replacing_folder
with replacing_folder(Path(sys.argv[2])) as folder:
    shutil.copytree(sys.argv[1], folder, dirs_exist_ok=True)
"""
FINGERPRINT = f"""
import json, urllib.request
url = "http://127.0.0.1:8000/v1/models/{SWAPPED}"
print(json.load(urllib.request.urlopen(url, timeout=30))["fingerprint"])
"""


def run(*command: str) -> str:
    """Run a command where docker-compose.yml lies, and give what it printed."""
    environment = {**os.environ, **TOLD}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return ended.stdout


def containers(service: str) -> list[str]:
    """Ids of a service's containers."""
    return run(*COMPOSE, "ps", "-q", service).split()


def is_healthy(container: str) -> bool:
    """Check whether a container is healthy, by its own health check."""
    found = run("docker", "inspect", "-f", "{{.State.Health.Status}}", container)
    return found.strip() == "healthy"


def fingerprint_at(replica: str) -> str | None:
    """Fingerprint of the model that a replica serves; None where it has none of the name."""
    command = ["docker", "exec", replica, "python3", "-c", FINGERPRINT]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    return ended.stdout.strip() or None


def is_replaced(before: set[str | None]) -> bool:
    """Check whether every replica has taken up another model than those served before."""
    return not before & fingerprints()


def put_in_place(version: Path) -> None:
    """Replace the checkpoint in the project's volume, whole, as a training in a container does."""
    mount = f"{version}:/version:ro"
    words = ["--rm", "--no-deps", "-v", mount, "--entrypoint", "python3", "train", "-c", PLACE]
    run(*COMPOSE, "run", "-T", *words, "/version", f"/data/checkpoints/{SWAPPED}")


def fingerprints() -> set[str | None]:
    """Fingerprints of what the replicas serve."""
    return {fingerprint_at(each) for each in containers("replica")}


def roll(times: int) -> int:
    """Replace all replicas one after the other, so many times, by the script that ships."""
    for _ in range(times):
        run("sh", "deploy/roll")
    return times


def swap(versions: list[Path], times: int) -> int:
    """Replace the model under the replicas, so many times; each takes it up by itself."""
    for number in range(1, times + 1):
        before = fingerprints()
        put_in_place(versions[number % len(versions)])
        wait_until(partial(is_replaced, before))
        time.sleep(STILL_S)
    return times


def kill(service: str, times: int) -> int:
    """Kill containers of a service in turn, so many times, and start them again."""
    for number in range(times):
        found = containers(service)
        killed = found[number % len(found)]
        run("docker", "kill", killed)
        time.sleep(STILL_S)
        run("docker", "start", killed)
        wait_until(partial(is_healthy, killed))
        time.sleep(ROLL_WAIT_S)
    return times


def reload_edge() -> int:
    """Have the edge read its configuration again."""
    (edge,) = containers("edge")
    run("docker", "kill", "-s", "HUP", edge)
    return 1


def restart_edge() -> int:
    """Restart the edge, as a new image of nginx would."""
    run(*COMPOSE, "restart", "-t", "5", "edge")
    return 1


@contextmanager
def versions_written() -> Iterator[list[Path]]:
    """Two checkpoints in one folder that every user may read, the containers' too."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        versions = write_versions(folder / "versions")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield versions


def asked_for(args: argparse.Namespace, versions: list[Path]) -> dict[str, Disturbance]:
    """Disturbances that are asked for, by what they are called."""
    found: dict[str, Disturbance] = {}
    if args.roll:
        found["rolling"] = lambda _: roll(args.roll)
    if args.swap:
        found["model swaps"] = lambda _: swap(versions, args.swap)
    if args.kill:
        found["replicas killed"] = lambda _: kill("replica", args.kill)
    if args.redis:
        found["Redis killed"] = lambda _: kill("redis", 1)
    if args.edge:
        found["edge reloaded"] = lambda _: reload_edge()
        found["edge restarted"] = lambda _: restart_edge()
    return found


def measure(args: argparse.Namespace) -> dict[str, Tally]:
    """Disturb the project in each way that is asked for; what readers saw meanwhile."""
    requests = drawn(args, poems=0.0)
    with versions_written() as versions, tempfile.TemporaryDirectory() as alone:
        models = [each.name for each in versions]
        known = ask_before(versions[0].parent, models, requests, Path(alone))
        put_in_place(versions[0])
        wait_until(lambda: None not in fingerprints())
        readers = Readers(address_of(args.address), of_model(requests, SWAPPED), known)
        return readers.read_under(asked_for(args, versions), args.readers, args.seed)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:80", help="HOST:PORT of the edge")
    parser.add_argument("--roll", type=int, default=0, help="rolling replacements")
    parser.add_argument("--swap", type=int, default=0, help="swaps of the model")
    parser.add_argument("--kill", type=int, default=0, help="kills of a replica")
    parser.add_argument("--redis", action="store_true", help="kill Redis, which counts limits")
    parser.add_argument("--edge", action="store_true", help="reload and restart nginx")
    parser.add_argument("--readers", type=int, default=12)
    parser.add_argument("--requests", type=int, default=40, help="different requests")
    parser.add_argument("--max-tokens", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    return exit_code(measure(args))


if __name__ == "__main__":
    sys.exit(main())
