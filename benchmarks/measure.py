"""Measuring several things fairly on a machine that changes its speed while we look."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.machine import calibrate


@dataclass(frozen=True, slots=True)
class Subject:
    """One contender: ``prepare`` makes a fresh start and returns the timed work; ``verify`` looks at what it left.

    ``units`` is how much the work does (messages, opens, reads). Contenders may do different amounts: a store that is
    a hundred times slower needs not take a hundred times as long. They are compared by rate. ``cpu_clock`` tells the
    processor time of everybody who works for it, in seconds.
    """

    name: str
    units: int
    prepare: Callable[[], Callable[[], None]]
    verify: Callable[[], None]
    cpu_clock: Callable[[], float] = time.process_time


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed run of ``units``, and the calibration loops on both sides of it, all in seconds.

    ``cpu_seconds`` is what the process and its threads worked meanwhile: where it is much less than ``seconds``, the
    run waited, for a disk or for a busy machine.
    """

    units: int
    seconds: float
    cpu_seconds: float
    calibration_before: float
    calibration_after: float

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.units / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Units a second of work."""
        return self.units / max(self.cpu_seconds, 1e-9)


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle half of some values."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Quartiles and median; a single value is all three."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)

    def as_json(self) -> dict[str, float]:
        return {name: float(f"{getattr(self, name):.6g}") for name in ("low", "median", "high")}


Samples = dict[str, list[Sample]]


def interleave(subjects: Sequence[Subject], rounds: int) -> Samples:
    """Run every subject once a round, a round beginning with another subject each time.

    Two samples of one round lie close together in time, so their ratio survives a change of the machine's speed.
    """
    samples: Samples = {subject.name: [] for subject in subjects}
    for round_number in range(rounds):
        shift = round_number % len(subjects)
        for subject in [*subjects[shift:], *subjects[:shift]]:
            samples[subject.name].append(take(subject))
    return samples


def take(subject: Subject) -> Sample:
    """One sample, the garbage collector as in real life but started clean."""
    work = subject.prepare()
    gc.collect()
    before = calibrate()
    cpu_began, began = subject.cpu_clock(), time.perf_counter()
    work()
    seconds, cpu_seconds = time.perf_counter() - began, subject.cpu_clock() - cpu_began
    after = calibrate()
    subject.verify()
    return Sample(subject.units, seconds, cpu_seconds, before, after)


def ratios(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Spread:
    """How many times as fast ours is: the spread of the ratios inside each round."""
    return Spread.of([our.rate / their.rate for our, their in zip(ours, theirs, strict=True)])


def cpu_ratios(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Spread:
    """The same by processor time, which a busy machine does not change much."""
    return Spread.of([our.cpu_rate / their.cpu_rate for our, their in zip(ours, theirs, strict=True)])


def calibration(samples: Samples) -> Spread:
    """The spread of the calibration loop over a whole run, in milliseconds."""
    loops = [sample.calibration_before for taken in samples.values() for sample in taken]
    loops += [sample.calibration_after for taken in samples.values() for sample in taken]
    return Spread.of([1000 * seconds for seconds in loops])


def require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # an assertion that -O cannot switch off
    """Stop the whole run: a contender that did not do the work must not get a figure."""
    if not holds:
        raise SystemExit(f"benchmark void: {otherwise}")
