"""Replicas benchmark: streams through nginx while replicas are killed, replaced and swapped.

    python benchmarks/bench_replicas.py --kill 200 --roll 3 --swap 2 --redis --nginx
    python benchmarks/bench_replicas.py --address 127.0.0.1:8080 --minutes 2

The readers check every text, whatever breaks (`checked_readers.py`). With an address, a deployment
that others disturb is read from instead. Prints a row for each disturbance, what was wrong, and all
of it as one line of JSON; exit code 1 if anything was.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checked_readers import (
    Disturbance,
    Readers,
    address_of,
    ask_before,
    drawn,
    exit_code,
    known_answers,
    show,
)
from disturbances import (
    SWAPPED,
    Deployment,
    kill,
    put_in_place,
    reload_nginx,
    restart_nginx,
    restart_redis,
    roll,
    swap,
    write_versions,
)
from replicas import Nginx, Redis, Replica, running
from resuming_reader import Tally


@contextmanager
def deployed(folder: Path, args: argparse.Namespace) -> Iterator[Deployment]:
    """Run the replicas, nginx, and Redis where it is asked for, on ports of their own."""
    served = folder / "checkpoints"
    served.mkdir()
    found = write_versions(folder / "versions") if args.swap else []
    if found:
        put_in_place(found[0], served / SWAPPED)
    settings = {"checkpoints": served, "drain": args.drain, "poll": 0.5, "log_level": "warning"}
    settings["default_model"] = SWAPPED if found else "verse"
    redis = Redis(folder / "redis") if args.redis else None
    if redis is not None:
        settings["rate_limit"] = "1000000/minute"
        settings["rate_limit_storage"] = f"redis://127.0.0.1:{redis.port}/0"
    names = "abc"[: args.replicas]
    replicas = [Replica(name, folder / f"replica-{name}", **settings) for name in names]
    nginx = Nginx(folder / "nginx", {each.name: each.port for each in replicas})
    with running(*([redis] if redis else []), *replicas, nginx):
        for replica in replicas:
            replica.wait_until_ready()
        nginx.wait_until_ready()
        yield Deployment(
            replicas=replicas, nginx=nginx, redis=redis, checkpoints=served, versions=found
        )


def asked_for(args: argparse.Namespace, deployment: Deployment) -> dict[str, Disturbance]:
    """Disturbances that are asked for, by what they are called."""
    until = time.monotonic() + 60 * args.minutes
    found: dict[str, Disturbance] = {}
    if args.kill:
        found["kill -9"] = lambda tally: kill(deployment, tally, args.kill, until)
    if args.roll:
        found["rolling"] = lambda _: roll(deployment, args.roll)
    if args.swap:
        found["model swaps"] = lambda _: swap(deployment, args.swap)
    if args.redis:
        found["Redis killed"] = lambda _: restart_redis(deployment)
    if args.nginx:
        found["nginx reloaded"] = lambda _: reload_nginx(deployment)
        found["nginx restarted"] = lambda _: restart_nginx(deployment)
    return found


def measure(args: argparse.Namespace) -> dict[str, Tally]:
    """Disturb a deployment in each way that is asked for; what readers saw meanwhile."""
    requests = drawn(args, poems=0.03)
    with tempfile.TemporaryDirectory() as name, deployed(Path(name), args) as deployment:
        models = [each.name for each in deployment.versions]
        where = Path(name, "versions") if models else deployment.checkpoints
        known = ask_before(where, models or ["verse"], requests, Path(name, "alone"))
        readers = Readers(deployment.address, requests, known)
        return readers.read_under(asked_for(args, deployment), args.readers, args.seed)


def read_address(args: argparse.Namespace) -> dict[str, Tally]:
    """Read from a deployment that others disturb."""
    address = address_of(args.address)
    requests = drawn(args, poems=0.0)
    known = known_answers(address, requests)
    print("known: what each text must be; disturb it now", flush=True)
    with Readers(address, requests, known).reading(args.readers, args.seed) as tally:
        time.sleep(60 * args.minutes)
    show({args.address: tally})
    return {args.address: tally}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kill", type=int, default=0, help="streams that are to be cut by kills")
    parser.add_argument("--roll", type=int, default=0, help="rolling replacements")
    parser.add_argument("--swap", type=int, default=0, help="swaps of the model")
    parser.add_argument("--redis", action="store_true", help="kill Redis, which counts limits")
    parser.add_argument("--nginx", action="store_true", help="reload and restart nginx")
    parser.add_argument("--address", help="HOST:PORT of a deployment that others disturb")
    parser.add_argument("--minutes", type=float, default=15.0, help="kills at most, or reading")
    parser.add_argument("--replicas", type=int, choices=(2, 3), default=2)
    parser.add_argument("--readers", type=int, default=24)
    parser.add_argument("--requests", type=int, default=60, help="different requests")
    parser.add_argument("--max-tokens", type=int, default=3000)
    parser.add_argument("--drain", type=int, default=3, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    return exit_code(read_address(args) if args.address else measure(args))


if __name__ == "__main__":
    sys.exit(main())
