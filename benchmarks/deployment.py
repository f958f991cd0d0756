"""How long messages take from a front end into the warehouse, and what the audit says when things fail.

``python -m benchmarks.deployment`` prints the two tables of ``docs/deployment.md``. All times in them are virtual: they
follow from the settings of the PAPER preset and a seed, so they are the same on every machine.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.config import MINUTE_US, PAPER, SECOND_US
from engine.ids import ConsumerId
from engine.journal.journal import Journal
from engine.scenarios import MIRROR, deploy

RATES = (5, 20, 50, 100, 400)
FAULTY_RATE = 50
TIERS = ("live", "analysis", "warehouse")
WINDOW_US = PAPER.deployment.audit_window_us
SETTLED_US = WINDOW_US + PAPER.deployment.audit_delay_us + 30 * SECOND_US
"""When the window that begins at virtual zero has been reported and compared everywhere."""


@contextmanager
def pipeline(rate_per_second: int) -> Iterator[Cluster]:
    """The deployment pattern with the paper's settings; from virtual zero on the producer makes so many messages."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "journal")
        cluster = Cluster(
            scenario="deployment",
            directory=Path(folder) / "cluster",
            config=PAPER,
            seed=1,
            journal=journal,
            start_us=-MINUTE_US,
        )
        deploy(cluster)
        cluster.run_until(-50 * SECOND_US)
        producer = cluster.state.producer
        for topic, sets in (("pageviews", 12), ("audit", 1)):  # brokers register a topic with its first message
            for _ in range(sets):
                producer.send(topic, producer.make(1))
        cluster.run_until(-40 * SECOND_US)
        cluster.add_consumer(ConsumerId(MIRROR, "Mirror A"), PAPER.consumer)
        cluster.run_until(0)
        producer.change(replace(producer.settings, rate_per_second=rate_per_second), "pageviews")
        try:
            yield cluster
        finally:
            cluster.close()
            journal.close()


def first_window(facts: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """What was found out about the window that begins at virtual zero."""
    return [one for one in facts["deployment"][kind] if one["window_start_us"] == 0]


def latency_row(rate_per_second: int) -> list[str]:
    """One run: messages of the window, average, 95th percentile."""
    with pipeline(rate_per_second) as cluster:
        cluster.run_until(SETTLED_US)
        (latency,) = first_window(cluster.facts(), "latency")
    seconds = [f"{latency[name] / SECOND_US:.1f} s" for name in ("average_us", "percentile_95_us")]
    return [str(rate_per_second), f"{latency['messages']:,}", *seconds]


FAULTS: tuple[tuple[str, Sequence[tuple[int, dict[str, object]]]], ...] = (
    ("nothing", ()),
    (
        "the mirror crashes and is started again",
        (
            (307, {"command": "crash_consumer", "group": MIRROR, "consumer": "Mirror A"}),
            (317, {"command": "add_consumer", "group": MIRROR, "consumer": "Mirror A"}),
        ),
    ),
    (
        "the loader crashes six times",
        tuple(
            (second, {"command": command})
            for begin in range(100, 400, 50)
            for second, command in ((begin, "crash_loader"), (begin + 20, "start_loader"))
        ),
    ),
    (
        "live broker 2 is cut off from the producer for 20 s",
        (
            (300, {"command": "set_link", "from": "producer", "to": "broker:2", "cut": True}),
            (320, {"command": "heal_links"}),
        ),
    ),
    (
        "analysis broker 12 crashes for 30 s",
        ((300, {"command": "crash_broker", "broker": 12}), (330, {"command": "start_broker", "broker": 12})),
    ),
)


def audit_row(what: str, acts: Sequence[tuple[int, dict[str, object]]]) -> list[str]:
    """One run with failures: produced, then what each tier received of it."""
    with pipeline(FAULTY_RATE) as cluster:
        for second, command in acts:
            cluster.run_until(second * SECOND_US)
            apply(cluster, parse_command(command))
        cluster.run_until(SETTLED_US)
        counts = {one["tier"]: one for one in first_window(cluster.facts(), "audit")}
    cells = [f"{counts['live']['produced']:,}"]
    for tier in TIERS:
        difference = counts[tier]["received"] - counts[tier]["produced"]
        cells.append(f"{counts[tier]['received']:,}" + (f" ({difference:+,})" if difference else ""))
    return [what, *cells]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def main() -> None:
    """Print both tables."""
    heads = ("messages a second", "in the window", "average", "95th percentile")
    sys.stdout.write(table(heads, [latency_row(rate) for rate in RATES]) + "\n\n")
    sys.stdout.write(table(("what fails", "produced", *TIERS), [audit_row(*fault) for fault in FAULTS]) + "\n")


if __name__ == "__main__":
    main()
