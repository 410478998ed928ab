"""Disturbances of replicas under load: killed, replaced one by one, their model swapped.

Also of what stands beside them, nginx and Redis. Each says how often it did what it is for.
"""

import json
import random
import shutil
import signal
import time
import urllib.request
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from checked_readers import STILL_S
from replicas import Nginx, Redis, Replica, wait_until
from resuming_reader import CUT, Tally

from model import checkpoint as checkpoints
from model import pretrained
from model.atomic_write import replacing_folder
from model.extra_files import WORDS

SWAPPED = "swapped"  # name of the model that is replaced under the readers
ROLL_WAIT_S = 5.0  # as deploy/roll waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Replicas behind nginx, whose model is one of `versions`, and Redis for their limits."""

    replicas: list[Replica]
    nginx: Nginx
    redis: Redis | None
    checkpoints: Path
    versions: list[Path]

    @property
    def address(self) -> tuple[str, int]:
        """Address that readers know."""
        return "127.0.0.1", self.nginx.port


def write_versions(folder: Path) -> list[Path]:
    """Write two checkpoints whose texts differ: the one that ships, and a copy that was shaken."""
    first, second = folder / "first", folder / "second"
    shutil.copytree(pretrained.DEFAULT, first)
    shaken = checkpoints.load(pretrained.DEFAULT)
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in shaken.network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.05 * float(weights.std()))
    checkpoints.save(shaken, second)
    words = (pretrained.DEFAULT / WORDS).read_bytes()  # without which it would compose no poems
    checkpoints.add_file(second, WORDS, words, facts={}, card=shaken.card)
    return [first, second]


def put_in_place(version: Path, target: Path) -> None:
    """Replace a checkpoint folder, whole, as a training run does."""
    with replacing_folder(target) as folder:
        shutil.copytree(version, folder, dirs_exist_ok=True)


def kill(deployment: Deployment, tally: Tally, wanted: int, until: float) -> int:
    """Kill replicas in turn at random moments until so many streams were cut; counts the kills."""
    draw, num_killed = random.Random(1), 0
    while tally.seen[CUT] < wanted and time.monotonic() < until:
        replica = deployment.replicas[num_killed % len(deployment.replicas)]
        time.sleep(draw.uniform(0.2, 1.5))
        restart_killed(replica, after_s=draw.uniform(0, 1))
        num_killed += 1
    return num_killed


def restart_killed(replica: Replica, after_s: float = 0.0) -> None:
    """Kill a replica, start it again, and wait until nginx knows it before another one dies."""
    replica.kill()
    time.sleep(after_s)
    replica.start()
    replica.wait_until_ready()
    time.sleep(ROLL_WAIT_S)


def roll(deployment: Deployment, times: int) -> int:
    """Replace all replicas one after the other, so many times, with the documented wait."""
    for _ in range(times):
        for replica in deployment.replicas:
            replica.end()
            replica.start()
            replica.wait_until_ready()
            time.sleep(ROLL_WAIT_S)
    return times


def swap(deployment: Deployment, times: int) -> int:
    """Replace the model under the replicas, so many times; each takes it up by itself.

    Once all have, one of them dies, so that streams of the model before break.
    """
    for number in range(1, times + 1):
        before = fingerprints(deployment)
        version = deployment.versions[number % len(deployment.versions)]
        put_in_place(version, deployment.checkpoints / SWAPPED)
        wait_until(partial(is_replaced, deployment, before))
        restart_killed(deployment.replicas[number % len(deployment.replicas)])
    return times


def is_replaced(deployment: Deployment, before: set[str]) -> bool:
    """Check whether every replica has taken up another model than those served before."""
    return not before & fingerprints(deployment)


def fingerprints(deployment: Deployment) -> set[str]:
    """Fingerprints of what the replicas serve."""
    return {fingerprint_at(each) for each in deployment.replicas}


def fingerprint_at(replica: Replica) -> str:
    """Fingerprint of the model that a replica serves."""
    url = f"http://127.0.0.1:{replica.port}/v1/models/{SWAPPED}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(json.load(answer)["fingerprint"])


def restart_redis(deployment: Deployment) -> int:
    """Kill Redis, and start it again after some seconds."""
    assert deployment.redis is not None
    deployment.redis.kill()
    time.sleep(2 * STILL_S)
    deployment.redis.start()
    time.sleep(STILL_S)
    return 1


def reload_nginx(deployment: Deployment) -> int:
    """Have nginx read its configuration again: what runs goes on, what is new is taken."""
    deployment.nginx.send_signal(signal.SIGHUP)
    time.sleep(STILL_S)
    return 1


def restart_nginx(deployment: Deployment) -> int:
    """End nginx, which cuts what runs, and start it again."""
    deployment.nginx.end()
    deployment.nginx.start()
    deployment.nginx.wait_until_ready()
    time.sleep(STILL_S)
    return 1
