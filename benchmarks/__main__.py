"""``python -m benchmarks``: measure, print tables, and keep the figures and their picture in benchmarks/results."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.compare import Comparison
from benchmarks.contests import append_contest, overheads, read_contest, sharing_contest
from benchmarks.events.contest import event_contests, event_goals
from benchmarks.fetching import fetch_contest
from benchmarks.goals import goals
from benchmarks.machine import describe, versions
from benchmarks.plot import plot
from benchmarks.scale import scale_contests
from benchmarks.sending import send_contests, sending_costs, sending_goals
from benchmarks.tcp import produce_contest, redis_version, tcp_goals

RESULTS = Path(__file__).parent / "results"
PARTS = ("append", "read", "scale", "tcp", "events")


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for; the exit code is 0 unless a contender did not do its work."""
    if arguments[:1] == ["page"]:
        from benchmarks.page.__main__ import main as measure_page  # needs Playwright, which the others do not

        return measure_page(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"what to measure (default: {' '.join(PARTS)})")
    parser.add_argument("--rounds", type=int, default=11, help="how often everyone takes a turn (default 11)")
    parser.add_argument("--messages", type=int, default=100_000, help="messages a turn (default 100000)")
    parser.add_argument("--folder", type=Path, help="where the files are written (default: the temporary folder)")
    parser.add_argument("--output", type=Path, default=RESULTS / "log.json", help="where the figures go")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        report = measure(Path(name), chosen.parts or PARTS, chosen.messages, chosen.rounds)
    show(report)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    picture = chosen.output.with_suffix(".svg")
    picture.write_text(plot(report), encoding="utf-8")
    print(f"\nwritten to {chosen.output} and {picture}")
    return 0


def measure(folder: Path, parts: Sequence[str], messages: int, rounds: int) -> dict[str, Any]:
    """All comparisons, each interleaved in itself, as one JSON value."""
    big = os.environ.get("BIG", "") not in ("", "0")
    plans: dict[str, list[Callable[[], list[Comparison]]]] = {
        "append": [
            lambda: [append_contest(folder, max(1, messages // 5), 1, rounds)],
            lambda: [append_contest(folder, messages, 50, rounds)],
        ],
        "read": [
            lambda: [read_contest(folder, messages, rounds)],
            lambda: [sharing_contest(folder, messages, rounds)],
        ],
        "scale": [partial(scale_contests, folder, rounds, big=big)],
        "tcp": [
            lambda: [produce_contest(folder, 2 * messages, rounds)],
            lambda: [fetch_contest(folder, messages, rounds)],
            lambda: send_contests(folder, rounds),
        ],
        "events": [lambda: event_contests(folder, rounds)],
    }
    found = [comparison for part in parts for plan in plans[part] for comparison in plan()]
    on_disk = overheads(folder, messages) if "append" in parts else {}
    contests = {comparison["title"]: comparison for comparison in found}
    others = [*tcp_goals(contests), *sending_goals(contests), *event_goals(contests)]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe(folder),
        "versions": versions() | {"redis": redis_version()},
        "payload_bytes": 200,
        "comparisons": found,
        "overhead_bytes": {name: round(each, 3) for name, each in on_disk.items()},
        "sendfile_cpu_of_read_and_send": sending_costs(contests),
        "goals": goals(contests, on_disk) + [asdict(goal) for goal in others],
    }


def show(report: dict[str, Any]) -> None:
    """The report as Markdown tables."""
    machine = report["machine"]
    print(f"{machine['python']} ({machine['build']}), {machine['processor']}, {machine['file_system']}")
    print(f"{report['payload_bytes']}-byte messages; medians, the middle half of the ratios in brackets\n")
    print("| | a second | a second of processor time | the first is x times as fast |\n|---|---|---|---|")
    for comparison in report["comparisons"]:
        loop = comparison["calibration_ms"]
        print(f"| **{comparison['title']}** ({comparison['unit']}) | | | {_spread('calibration, ms', loop)} |")
        for name, figures in comparison["contenders"].items():
            ratio = figures["first_is_times_as_fast"]
            shown = "1" if name == comparison["held_against"] else _spread("", ratio)
            by_clock, by_cpu = figures["rate"]["median"], figures["cpu_rate"]["median"]
            print(f"| {name} | {by_clock:,.0f} | {by_cpu:,.0f} | {shown} |")
    if report["overhead_bytes"]:
        print("\n| bytes on disk a message, beyond its payload | |\n|---|---|")
        for name, each in report["overhead_bytes"].items():
            print(f"| {name} | {each:.1f} |")
    if report["sendfile_cpu_of_read_and_send"]:
        print("\n| processor time a byte of sendfile, of read and send | |\n|---|---|")
        for title, each in report["sendfile_cpu_of_read_and_send"].items():
            print(f"| {title} | {each:.2f} |")
    print("\n| goal | wanted | found | by processor time | |\n|---|---|---|---|---|")
    for goal in report["goals"]:
        verdict = "met" if goal["met"] else "MISSED"
        print(f"| {goal['text']} | {goal['wanted']:.3g} | {goal['found']:.3g} | {goal['found_cpu']:.3g} | {verdict} |")


def _spread(name: str, spread: dict[str, float]) -> str:
    return f"{name} {spread['median']:.2f} ({spread['low']:.2f}-{spread['high']:.2f})".strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
