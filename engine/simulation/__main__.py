"""The command line of the simulation: ``python -m engine.simulation --seeds 2000 [--first 1]``.

Seeds are spread over the processors. Exit code 0: no anomaly in any run; 1: some seeds fail, and the replay command and
the anomalies of each are printed; 2: bad arguments.
"""

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from engine.simulation.checkers.all import find_anomalies
from engine.simulation.run import simulate

MOST_SHOWN = 5
PROGRESS_EVERY = 200


@dataclass(frozen=True, slots=True)
class SeedResult:
    """The result of one seed: the numbers of operations and events, and the anomalies, most informative first."""

    seed: int
    events: int
    operations: int
    anomalies: tuple[str, ...]


def check_seed(seed: int) -> SeedResult:
    """Run one seed and check it with all checkers. An error that escapes from the engine is an anomaly too."""
    with tempfile.TemporaryDirectory(prefix="offsetscope-simulation-") as directory:
        try:
            history = simulate(seed, Path(directory))
            anomalies = tuple(str(anomaly) for anomaly in find_anomalies(history))
        except Exception:  # any error must be reported with its seed
            return SeedResult(seed, 0, 0, (f"crashed: {traceback.format_exc()}",))
    return SeedResult(seed, len(history.events), len(history.operations), anomalies)


def replay_line(seed: int) -> str:
    """Return the command that runs a failing seed again."""
    return f"make simulate FIRST={seed} SEEDS=1"


def report(result: SeedResult) -> str:
    """Return the report of a failing seed."""
    rest = len(result.anomalies) - MOST_SHOWN
    lines = [f"seed {result.seed} fails, replay with: {replay_line(result.seed)}", *result.anomalies[:MOST_SHOWN]]
    return "\n".join(lines if rest <= 0 else [*lines, f"... and {rest} more"])


def print_results(results: Iterable[SeedResult], seeds: int) -> int:
    """Print the results of the seeds, failing ones as they come; return the exit code."""
    failed = events = operations = 0
    for number, result in enumerate(results, start=1):
        events += result.events
        operations += result.operations
        if result.anomalies:
            failed += 1
            sys.stdout.write(report(result) + "\n")
        if number % PROGRESS_EVERY == 0 or number == seeds:
            sys.stdout.write(
                f"{number} of {seeds} seeds, {operations:,} operations, {events:,} events, {failed} failed\n"
            )
            sys.stdout.flush()
    return 1 if failed else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the seeds and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.simulation", description="Simulate clusters that fail.")
    parser.add_argument("--seeds", type=int, default=200, help="how many runs (200)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="how many at a time (one a processor)"
    )
    given = parser.parse_args(arguments)
    if given.seeds < 1 or given.processes < 1:
        parser.error("--seeds and --processes must be at least 1")
    seeds = range(given.first, given.first + given.seeds)
    if given.processes == 1 or given.seeds == 1:
        return print_results(map(check_seed, seeds), given.seeds)
    with ProcessPoolExecutor(given.processes) as pool:
        return print_results(pool.map(check_seed, seeds, chunksize=4), given.seeds)


if __name__ == "__main__":
    sys.exit(main())
