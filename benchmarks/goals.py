"""What the project has set itself, held against what was measured. A goal that is missed is said to be missed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.compare import Comparison, ratio


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal and what was found, by the clock (which decides) and by processor time."""

    text: str
    wanted: float
    found: float
    found_cpu: float
    met: bool


def at_least(text: str, wanted: float, found: tuple[float, float]) -> Goal:
    by_clock, by_cpu = found
    return Goal(text, wanted, round(by_clock, 3), round(by_cpu, 3), by_clock >= wanted)


def goals(contests: Mapping[str, Comparison], overheads: Mapping[str, float]) -> list[dict[str, Any]]:
    """Every goal whose contenders took part."""
    found = [*_append_goals(contests), *_read_goals(contests), *_scale_goals(contests)]
    if "log" in overheads:
        each = round(overheads["log"], 6)
        found.append(Goal("bytes of overhead a message, exactly", 9, each, each, each == 9))
    return [asdict(goal) for goal in found]


def _append_goals(contests: Mapping[str, Comparison]) -> Iterator[Goal]:
    if "append, batches of 50" in contests:
        contest = contests["append, batches of 50"]
        for peer, wanted in (("LMDB", 1.25), ("RocksDB", 3.0), ("sqlite3 WAL", 5.0)):
            if peer in contest["contenders"]:
                yield at_least(f"batches of 50, times {peer}", wanted, ratio(contest, "log", peer))


def _read_goals(contests: Mapping[str, Comparison]) -> Iterator[Goal]:
    if "read back, every message" in contests:
        contest = contests["read back, every message"]
        yield at_least(
            "reading with every CRC checked, times SELECT of the rows", 1, ratio(contest, "log", "sqlite3 WAL")
        )
    sharing = "viewers of one journal, events handed over in all"
    if sharing in contests:
        found = ratio(contests[sharing], "16 viewers", "one viewer")
        yield at_least("16 viewers of a journal, times one", 10, found)


def _scale_goals(contests: Mapping[str, Comparison]) -> Iterator[Goal]:
    for title, what in (
        ("append to a log of this size, batches of 50", "appending to the largest log, of the smallest"),
        (
            "fetch 64 KiB somewhere in a log of this size and decode it",
            "fetching from the largest log, of the smallest",
        ),
    ):
        if title in contests:
            names = list(contests[title]["contenders"])
            yield at_least(what, 0.8, ratio(contests[title], names[-1], names[0]))
    title = "open a log of this many small segments"
    if title in contests:
        yield at_least("opening 1000 segments, of a tenth of the rate of 100", 0.8, _tenfold(contests[title]))


def _tenfold(contest: Comparison) -> tuple[float, float]:
    by_clock, by_cpu = ratio(contest, "1000 segments", "100 segments")
    return 10 * by_clock, 10 * by_cpu
