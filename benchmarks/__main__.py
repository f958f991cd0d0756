"""``python -m benchmarks``: measure, print a table, and keep the figures in benchmarks/results."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.log import append_subjects, payloads, read_subjects
from benchmarks.machine import describe
from benchmarks.measure import Sample, Spread, Subject, calibration, interleave, ratios

RESULTS = Path(__file__).parent / "results"
OURS = "log"


def main(arguments: Sequence[str]) -> int:
    """Run everything; the exit code is 0 unless a contender cheated."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often everyone takes a turn (default 11)")
    parser.add_argument("--messages", type=int, default=100_000, help="messages a turn (default 100000)")
    parser.add_argument("--folder", type=Path, help="where the files are written (default: the temporary folder)")
    parser.add_argument("--output", type=Path, default=RESULTS / "log.json", help="where the figures go")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        report = measure(Path(name), chosen.messages, chosen.rounds)
    show(report)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {chosen.output}")
    return 0


def measure(folder: Path, messages: int, rounds: int) -> dict[str, Any]:
    """All comparisons, each interleaved in itself, as one JSON value."""
    everything = payloads(messages)
    single = everything[: max(1, messages // 5)]  # single appends are slow: fewer tell as much
    comparisons = [
        compare("append, batches of 1", append_subjects(folder, single, 1), len(single), rounds),
        compare("append, batches of 50", append_subjects(folder, everything, 50), messages, rounds),
        compare("read and decode", read_subjects(folder, everything), messages, rounds),
    ]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe(folder),
        "payload_bytes": len(everything[0]),
        "rounds": rounds,
        "comparisons": comparisons,
    }


def compare(title: str, subjects: Sequence[Subject], messages: int, rounds: int) -> dict[str, Any]:
    """One comparison: each contender's rate, and how our log stands to it."""
    samples = interleave(subjects, rounds)
    return {
        "title": title,
        "messages": messages,
        "calibration_ms": calibration(samples).as_json(),
        "contenders": {name: contender(taken, samples[OURS], messages) for name, taken in samples.items()},
    }


def contender(taken: Sequence[Sample], ours: Sequence[Sample], messages: int) -> dict[str, Any]:
    """The figures of one contender."""
    return {
        "messages_per_second": Spread.of([messages / sample.seconds for sample in taken]).as_json(),
        "log_is_times_as_fast": ratios(ours, taken).as_json(),
        "seconds": [round(sample.seconds, 6) for sample in taken],
    }


def show(report: dict[str, Any]) -> None:
    """The report as a Markdown table."""
    machine = report["machine"]
    print(f"{machine['python']} ({machine['build']}), {machine['processor']}, {machine['file_system']}")
    print(f"{report['rounds']} rounds, interleaved; {report['payload_bytes']}-byte messages\n")
    print("| | messages/s (median) | log is x times as fast (middle half) |\n|---|---|---|")
    for comparison in report["comparisons"]:
        loop = comparison["calibration_ms"]
        print(f"| **{comparison['title']}** | | calibration {loop['low']:.2f}-{loop['high']:.2f} ms |")
        for name, figures in comparison["contenders"].items():
            ratio = figures["log_is_times_as_fast"]
            told = "1" if name == OURS else f"{ratio['median']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})"
            print(f"| {name} | {figures['messages_per_second']['median']:,.0f} | {told} |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
