"""Comparisons as JSON: each contender's rate, and how the first one stands to it inside each round."""

from collections.abc import Sequence
from typing import Any

from benchmarks.measure import Samples, Spread, Subject, calibration, cpu_ratios, interleave, ratios

Comparison = dict[str, Any]


def compare(title: str, unit: str, subjects: Sequence[Subject], rounds: int) -> Comparison:
    """Measure the subjects in turns; the first one is what the others are held against."""
    samples = interleave(subjects, rounds)
    return {
        "title": title,
        "unit": unit,
        "rounds": rounds,
        "calibration_ms": calibration(samples).as_json(),
        "held_against": subjects[0].name,
        "contenders": {name: _contender(samples, subjects[0].name, name) for name in samples},
    }


def _contender(samples: Samples, ours: str, name: str) -> dict[str, Any]:
    taken = samples[name]
    return {
        "units": taken[0].units,
        "rate": Spread.of([sample.rate for sample in taken]).as_json(),
        "cpu_rate": Spread.of([sample.cpu_rate for sample in taken]).as_json(),
        "first_is_times_as_fast": ratios(samples[ours], taken).as_json(),
        "ratios": {other: ratios(taken, them).as_json()["median"] for other, them in samples.items()},
        "cpu_ratios": {other: cpu_ratios(taken, them).as_json()["median"] for other, them in samples.items()},
        "seconds": [round(sample.seconds, 6) for sample in taken],
        "cpu_seconds": [round(sample.cpu_seconds, 6) for sample in taken],
    }


def rates(comparison: Comparison, name: str) -> tuple[float, float]:
    """Units a second of one contender, by the clock and by processor time: medians over the rounds."""
    figures = comparison["contenders"][name]
    return figures["rate"]["median"], figures["cpu_rate"]["median"]


def ratio(comparison: Comparison, one: str, other: str) -> tuple[float, float]:
    """How many times as fast ``one`` is as ``other``, by the clock and by processor time.

    Each is the median of the ratios of the same round.
    """
    figures = comparison["contenders"][one]
    return figures["ratios"][other], figures["cpu_ratios"][other]
