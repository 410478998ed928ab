"""Hyperparameter search by three workers on two hosts, over PostgreSQL; one worker is killed.

    sudo python benchmarks/shared_study.py [--trials 16] [--minutes 0.1]

The hosts are network namespaces of this machine (hosts.py). The first has PostgreSQL, a cluster of
its own that is made and removed here, and one worker; the second has two workers, one of which is
killed (SIGKILL) in its second trial. The others have to run past the two minutes after which a
trial without a sign of life is begun again: trials x minutes must be more. Prints how many trials
each worker told of and how many the database has, then everything as one line of JSON; exits with
1 where a trial is lost, there twice, or not begun again.
"""

import argparse
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from hosts import NETWORK, Host, hosts
from measured import ROOT, show_json, show_table
from optuna.trial import FrozenTrial, TrialState

from training.train_config import ANTHOLOGY
from training.tuning.optuna_study import GRACE_S, connected

NAMES = ("strophe-0", "strophe-1")
USER, DATABASE, STUDY = "postgres", "postgres", "shared"
SPACE = "learning_rate = {low = 0.0005, high = 0.02, log = true}\n"
BEGUN = re.compile(r"^trial (\d+): learning_rate ", re.MULTILINE)
ENDED = re.compile(r"^trial (\d+): (?:[\d.]+ nats;|pruned at)", re.MULTILINE)
LOST = re.compile(r"^trial (\d+): no sign of life .* begun again", re.MULTILINE)
TIMEOUT_S = 900


@contextmanager
def postgresql(host: Host, folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of its own on a host; gives its URL. Needs its programs and user."""
    programs = Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
    data = folder / "postgresql"
    data.mkdir()
    owner = pwd.getpwnam(USER)
    for path in (folder, data):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    as_owner = ["setpriv", "--reuid", USER, "--regid", str(owner.pw_gid), "--clear-groups"]
    made = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", USER, "-E", "UTF8"]
    subprocess.run([*as_owner, *made], check=True, stdout=subprocess.DEVNULL)
    with (data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
        print(f"host all all {NETWORK} trust", file=rules)
    server = [str(programs / "postgres"), "-D", str(data), "-k", str(data), "-h", host.address]
    with (folder / "postgresql.log").open("w", encoding="utf-8") as log:
        process = host.start([*as_owner, *server], {}, log)
    try:
        yield f"postgresql+pg8000://{USER}@{host.address}/{DATABASE}"
    finally:
        process.send_signal(signal.SIGINT)  # at once, without waiting for connections
        process.wait()


class Worker:
    """Process of `strophe tune` on a host, with what it says."""

    def __init__(self, name: str, host: Host, command: list[str], folder: Path) -> None:
        self.name, self._log = name, folder / f"{name}.log"
        with self._log.open("w", encoding="utf-8") as output:
            environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
            self.process = host.start(command, {**environment, "OMP_NUM_THREADS": "1"}, output)

    def numbers(self, kind: re.Pattern[str]) -> list[int]:
        """Numbers of the trials that it told of in lines of this kind."""
        return list(map(int, kind.findall(self.said())))

    def said(self) -> str:
        """Output of the worker so far."""
        return self._log.read_text(encoding="utf-8")


def search(
    args: argparse.Namespace, home: Path, first: Host, second: Host, url: str
) -> list[Worker]:
    """Let three workers search, kill the last one, and wait for the others."""
    (home / "space.toml").write_text(SPACE, encoding="utf-8")
    fields = ["--preset", "tiny", "--corpus", str(args.corpus), "--minutes", str(args.minutes)]
    fields += ["--space", str(home / "space.toml"), "--threads", "1", "--device", "cpu"]
    fields += ["--study", STUDY, "--storage", url, "--trials", str(args.trials)]
    command = [sys.executable, "-m", "training", "tune", *fields, "--out"]
    places = (("a", first), ("b", second), ("c", second))
    workers = [Worker(n, host, [*command, str(home / host.name)], home) for n, host in places]
    victim = workers[-1]
    until = time.monotonic() + TIMEOUT_S
    while len(victim.numbers(BEGUN)) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    victim.process.kill()
    for worker in workers:
        worker.process.wait(TIMEOUT_S)
    return workers


def stored(socket: Path) -> list[FrozenTrial]:
    """Trials as the database has them."""
    url = f"postgresql+pg8000://{USER}@/{DATABASE}?unix_sock={socket}"
    with connected(url, print) as storage:
        return optuna.load_study(study_name=STUDY, storage=storage).get_trials()


def problems_of(workers: list[Worker], trials: list[FrozenTrial], asked: int) -> Iterator[str]:
    """Find problems of a search: trials lost, there twice, or not begun again."""
    numbers = [trial.number for trial in trials]
    if numbers != list(range(len(trials))):
        yield f"the numbers are {numbers}"
    begun = Counter(number for worker in workers for number in worker.numbers(BEGUN))
    if set(begun) != set(numbers) or max(begun.values()) > 1:
        yield f"begun, by how many workers: {begun}"
    *others, victim = workers
    for worker in others:
        if len(worker.numbers(ENDED)) != asked or worker.process.returncode != 0:
            yield f"worker {worker.name} told of {len(worker.numbers(ENDED))} trials, not {asked}"
    failed = [trial.number for trial in trials if trial.state == TrialState.FAIL]
    if failed != victim.numbers(BEGUN)[-1:]:
        yield f"cut short were {failed}, not the last of {victim.numbers(BEGUN)}"
    if [number for worker in others for number in worker.numbers(LOST)] != failed:
        yield "the lost trial was not told of once"
    again = [trial for trial in trials if trial.system_attrs.get("failed_trial") in failed]
    if [trial.state.is_finished() for trial in again] != [True] * len(failed):
        yield "the lost trial was not begun again and brought to its end"
    drawn = [t.params["learning_rate"] for t in trials if "failed_trial" not in t.system_attrs]
    if len(set(drawn)) != len(drawn):
        yield "two trials have tried the same"


def main() -> int:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=16, help="of each worker")
    parser.add_argument("--minutes", type=float, default=0.1, help="of each trial")
    parser.add_argument("--corpus", type=Path, default=ANTHOLOGY)
    args = parser.parse_args()
    if args.trials * args.minutes * 60 < GRACE_S * 0.75:
        parser.error(f"the study would end within the {GRACE_S} s that a lost trial is waited for")
    args.corpus = args.corpus.resolve()
    home = Path(tempfile.mkdtemp())
    try:
        with hosts(NAMES) as (first, second), postgresql(first, home) as url:
            began = time.monotonic()
            workers = search(args, home, first, second, url)
            trials = stored(home / "postgresql" / ".s.PGSQL.5432")
            seconds = time.monotonic() - began
        problems = list(problems_of(workers, trials, args.trials))
        states = Counter(trial.state.name.lower() for trial in trials)
        rows = [
            [w.name, *(str(len(w.numbers(kind))) for kind in (BEGUN, ENDED, LOST))] for w in workers
        ]
        show_table(["worker", "begun", "ended", "told lost"], rows)
        print(f"{len(trials)} trials in the database in {seconds:.0f} s: {dict(states)}")
        print("\n".join([*problems, workers[0].said()]) if problems else "all as it should be")
        show_json({"states": states, "problems": problems, "seconds": seconds})
    finally:
        shutil.rmtree(home)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
