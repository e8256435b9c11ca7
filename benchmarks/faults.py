"""Faults, each made for real: `python -m benchmarks.faults [scale] [words]` prints what was expected and what was seen.

Ends with exit code 1 where anything was not as expected. `scale` multiplies the counts (1: a quarter of an hour on two
cores); with `words`, only faults are made whose names hold them. Runs learn the real data for a few short epochs; one
counts as "the same" where all of its epochs have the figures, bit for bit, of the same run undisturbed.

Needs Linux. A full disk and a folder that cannot be written are small file systems in memory, which only root can
mount: without that right these rows say so, and count as not as expected.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import psutil
import torch

from benchmarks import faults_of_storage
from benchmarks.faulty_lab import END_SECONDS, Fault, FaultyLab, Seen, faulty_lab
from benchmarks.server import running_server, wait_until
from fmnist_core.jobs.processes import is_known_dead
from fmnist_core.store.leases import ATTEMPT_LIMIT
from fmnist_core.store.run import Run
from fmnist_core.store.runs import Store

SEED = 0  # of when and whom faults strike
AT_ONCE = 0.25  # share of kills that follow the one before at once
EPOCHS_BETWEEN_KILLS = 2  # of all runs together, else
KILLED = "killed by signal 9 (SIGKILL)"


def workers_of(store: Store) -> dict[str, psutil.Process]:
    """The worker process of each run that is being trained, as the store names it."""
    found = {}
    for held in store.leases.held():
        if held.process is not None and not is_known_dead(held.process):
            with suppress(psutil.NoSuchProcess):
                found[held.key] = psutil.Process(int(held.process.split("/")[1]))
    return found


def strike(store: Store, chance: random.Random, sent: signal.Signals) -> str | None:
    """Send a signal to the worker of some run that trains; the run's key, None where none trains."""
    try:
        victims = sorted(workers_of(store).items())
        if not victims:
            return None
        key, process = chance.choice(victims)
        process.send_signal(sent)
    except psutil.NoSuchProcess:
        return None
    return key


def epochs_of_all(store: Store) -> int:
    """How many epochs are stored, of all runs."""
    return sum(run.epochs_done for run in store.runs())


def is_idle(store: Store) -> bool:
    """Whether no run waits or trains."""
    return not any(run.is_active for run in store.runs())


def ends(runs: Sequence[Run]) -> str:
    """How many runs ended in which way."""
    return ", ".join(
        f"{sum(run.status == status for run in runs)} {status}" for status in sorted({run.status for run in runs})
    )


def kill_workers(lab: FaultyLab, count: int) -> Seen:
    """Kill workers at random moments, one in four again at once; ask again for runs that used up their attempts."""
    chance, pause = random.Random(SEED), threading.Event()
    configs = [replace(lab.config, seed=seed) for seed in range(max(4, 60 * count // 100))]
    kills = more = 0
    with lab.store() as store:
        keys = [lab.ask(store, config) for config in configs]
        with lab.dispatching(store):
            while kills < count:
                done = epochs_of_all(store)
                if strike(store, chance, signal.SIGKILL):
                    kills += 1
                    if chance.random() < AT_ONCE:
                        continue
                    # By what gets done and not by the clock, so that a slow machine's runs come to their end as well.
                    wait_until(
                        lambda done=done: epochs_of_all(store) >= done + EPOCHS_BETWEEN_KILLS or is_idle(store),
                        "runs go on",
                        END_SECONDS,
                    )
                    pause.wait(chance.uniform(0.0, 1.0))
                elif is_idle(store):
                    more += 1  # all have ended before all kills were made
                    configs.append(replace(lab.config, seed=1000 + more))
                    keys.append(lab.ask(store, configs[-1]))
                pause.wait(0.02)
            lab.wait_for_ends(store, keys)
            failed = [run for run in store.runs() if run.status == "failed"]
            told = sum(f"{ATTEMPT_LIMIT} times in a row" in (run.error or "") and KILLED in run.error for run in failed)
            keys_of_failed = [lab.ask(store, run.config) for run in failed]
            lab.wait_for_ends(store, keys_of_failed)
        same = lab.same(store, configs)
        seen = f"{kills} kills, {len(keys)} runs: {same} the same"
        if failed:
            seen += f", {len(failed)} of them after {ATTEMPT_LIMIT} kills within one epoch, which {told} said"
        return Seen(seen, same == len(keys) and told == len(failed))


def kill_servers(lab: FaultyLab, count: int) -> Seen:
    """Kill the server at random moments while it trains, then let another finish."""
    chance, pause = random.Random(SEED), threading.Event()
    config = replace(lab.config, epochs=8)
    configs = [replace(config, seed=2000 + seed) for seed in range(4)]
    orphans = 0
    with lab.store(lab.home / "runs.sqlite") as store:
        keys = [lab.ask(store, config) for config in configs]
        for _ in range(count):
            with running_server(lab.home) as server:
                wait_until(lambda: workers_of(store) or is_idle(store), "a run trains")
                pause.wait(chance.uniform(0.0, 1.5))
                family = server.process.children(recursive=True)
                server.process.kill()
                _, left = psutil.wait_procs(family, timeout=20)
                orphans += sum(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left)
        with running_server(lab.home):
            lab.wait_for_ends(store, keys)
        same = lab.same(store, configs)
        seen = f"{ends(store.runs())}, {same} of {len(keys)} the same, {orphans} orphans"
        return Seen(seen, same == len(keys) and not orphans)


def stop_workers(lab: FaultyLab, count: int) -> Seen:
    """Stop workers for good, until their lease is over."""
    configs = [replace(lab.config, seed=3000 + number, epochs=8) for number in range(count)]
    waits = []
    with lab.store() as store, lab.dispatching(store, workers=1):
        for config in configs:
            key = lab.ask(store, config)
            wait_until(lambda key=key: store.run(key).epochs_done and workers_of(store), "an epoch")
            began, hung = time.monotonic(), workers_of(store)[key]
            hung.suspend()
            wait_until(lambda hung=hung: not hung.is_running() or hung.status() == "zombie", "it is replaced", 120)
            waits.append(time.monotonic() - began)
            lab.wait_for_ends(store, [key])
        same = lab.same(store, configs)
        return Seen(
            f"{same} of {count} the same; taken over after {max(waits):.0f} s at most",
            same == count and max(waits) < 60,
        )


def poison(lab: FaultyLab, count: int) -> Seen:
    """Let a run kill each worker that takes it up, beside runs that do nothing of the kind."""
    bad = replace(lab.config, seed=4000)
    good = [replace(lab.config, seed=4001 + number) for number in range(3)]
    with lab.store() as store, lab.dispatching(store):
        keys = [lab.ask(store, config) for config in (bad, *good)]
        while store.run(keys[0]).is_active:
            process = workers_of(store).get(keys[0])
            if process is not None and store.run(keys[0]).epochs_done == 0:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        lab.wait_for_ends(store, keys)
        run, same = store.run(keys[0]), lab.same(store, good)
        assert run is not None
        is_told = run.status == "failed" and KILLED in (run.error or "")
        return Seen(
            f"{run.status}: “{run.error}”; others: {same} of {len(good)} the same", is_told and same == len(good)
        )


FAULTS = (
    Fault(
        "a worker is killed at a random moment, one in four again at once",
        100,
        "runs end the same, or say that they broke off three times within an epoch",
        kill_workers,
    ),
    Fault("the server is killed", 10, "runs end the same, no orphans", kill_servers),
    Fault("a worker hangs (SIGSTOP)", 2, "replaced after its lease, ends the same", stop_workers),
    Fault("a run kills each of its workers", 1, "it fails with a sentence, alone", poison),
    *faults_of_storage.FAULTS,
)


def main(scale: float, words: str) -> int:
    """Print the table of the faults whose names hold `words`; how many rows were not as expected."""
    torch.set_num_threads(1)
    wrong = 0
    print("| fault | times | expected | seen | as expected |\n|---|---|---|---|---|", flush=True)
    with faulty_lab() as lab:
        for fault in (fault for fault in FAULTS if words in fault.name):
            count = max(1, round(fault.count * scale))
            began = time.monotonic()
            try:
                seen = fault.make(lab, count)
            except Exception as error:  # a fault that was not expected; the others are tried all the same
                seen = Seen(f"{type(error).__name__}: {error}", False)
            wrong += not seen.is_expected
            took = f"{time.monotonic() - began:.0f} s"
            print(f"{fault.name}: {took}", file=sys.stderr)
            cells = (fault.name, str(count), fault.expected, seen.words, "yes" if seen.is_expected else "NO")
            print(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |", flush=True)
    return wrong


if __name__ == "__main__":
    os.environ.pop("DROPOUT_LAB_SCHEDULER", None)
    scale, words = (sys.argv[1:] + ["1", ""][len(sys.argv[1:]) :])[:2]
    sys.exit(1 if main(float(scale), words) else 0)
