"""Measuring several things fairly on a machine that changes its speed while we look."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.machine import calibrate


@dataclass(frozen=True, slots=True)
class Subject:
    """One contender: ``prepare`` makes a fresh start and returns the timed work; ``verify`` looks at what it left."""

    name: str
    prepare: Callable[[], Callable[[], None]]
    verify: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed run and the calibration loops on both sides of it, all in seconds."""

    seconds: float
    calibration_before: float
    calibration_after: float


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
        return {"low": self.low, "median": self.median, "high": self.high}


def interleave(subjects: Sequence[Subject], rounds: int) -> dict[str, list[Sample]]:
    """Run every subject once a round, a round beginning with another subject each time.

    Two samples of one round lie close together in time, so their ratio survives a change of the machine's speed.
    """
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in subjects}
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
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    after = calibrate()
    subject.verify()
    return Sample(seconds, before, after)


def ratios(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Spread:
    """How many times as fast ours is: the spread of the ratios inside each round."""
    return Spread.of([their.seconds / our.seconds for our, their in zip(ours, theirs, strict=True)])


def calibration(samples: dict[str, list[Sample]]) -> Spread:
    """The spread of the calibration loop over a whole run, in milliseconds."""
    loops = [sample.calibration_before for taken in samples.values() for sample in taken]
    loops += [sample.calibration_after for taken in samples.values() for sample in taken]
    return Spread.of([1000 * seconds for seconds in loops])
