"""``python -m docs.figures`` draws every picture of docs/engine.md again, from runs of the real engine.

The same seed gives the same journal, so the pictures only change when the engine does; a test compares.
"""

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from docs.figures.sequence import Arrow, Note, Scene, draw
from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.journal.journal import Journal
from engine.scenarios import build

FOLDER = Path(__file__).parent
Happened = dict[str, Any]


def recorded(act: Callable[[Cluster], None]) -> list[Happened]:
    """What the journal of a fresh ``pageviews`` cluster says after ``act``."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "journal")
        cluster = build("pageviews", directory=Path(folder) / "cluster", seed=1, journal=journal)
        act(cluster)
        cluster.publish()
        offset, events = 0, []
        while offset < journal.end_offset:
            chunk = journal.read(offset, 10_000_000)
            events += [json.loads(payload) for payload in chunk.payloads]
            offset = chunk.next_offset
        cluster.close()
        journal.close()
    return events


def do(cluster: Cluster, command: str, **fields: object) -> None:
    """Give a command, as a person would."""
    apply(cluster, parse_command({"command": command, **fields}))


def write() -> Scene:
    """A batch on its way into a partition."""

    def act(cluster: Cluster) -> None:
        do(cluster, "produce")
        cluster.run_until(3_000_000)

    arrows, notes = [], []
    for event in recorded(act):
        at_us = event["at_us"]
        match event["event"]:
            case "batch_sent":
                label = f"{event['messages']} messages, {event['bytes']} B"
                arrows.append(Arrow("producer", "broker 1", at_us, event["due_us"], label))
                notes.append(Note("producer", at_us, f"chooses p{event['partition']}"))
            case "batch_appended":
                notes.append(Note("file of p0", at_us, f"bytes {event['offset']} to {event['next_offset']} appended"))
            case "log_flushed":
                notes.append(Note("file of p0", at_us, f"flushed: readers see up to {event['flushed_offset']}"))
    return Scene("A write", ["producer", "broker 1", "file of p0"], arrows, notes)


def read() -> Scene:
    """A pull, the work, and the commit."""
    arrows, notes = [], []
    for event in recorded(lambda cluster: cluster.run_until(6_000_000)):
        if event.get("consumer") != "Metrics A":
            continue
        at_us = event["at_us"]
        match event["event"]:
            case "fetch_sent" if not arrows:
                label = f"from {event['offset']}, at most {event['max_bytes']} B"
                arrows.append(Arrow("Metrics A", "broker 1", at_us, event["due_us"], label))
            case "fetch_answered" if len(arrows) == 1:
                label = f"{event['bytes']} B of the file"
                arrows.append(Arrow("broker 1", "Metrics A", at_us, event["due_us"], label))
            case "fetch_received" if not notes:
                notes.append(Note("Metrics A", at_us, f"fetch position {event['next_offset']}, CRCs good"))
            case "messages_consumed":
                notes.append(Note("Metrics A", at_us, f"message at {event['offset']} worked on"))
            case "commit_sent":
                arrows.append(Arrow("Metrics A", "registry", at_us, event["due_us"], f"bookmark = {event['offset']}"))
    return Scene("A read", ["broker 1", "Metrics A", "registry"], arrows, notes)


def rebalance() -> Scene:
    """A crash, and how the others share out what was left behind."""

    def act(cluster: Cluster) -> None:
        cluster.run_until(20_000_000)
        do(cluster, "crash_consumer", consumer="Metrics B")
        cluster.run_until(30_000_000)

    lanes = ["Metrics A", "registry", "Metrics C", "Metrics B"]
    arrows: list[Arrow] = []
    notes: list[Note] = []
    for event in recorded(act):
        if event["at_us"] < 20_000_000:
            continue
        arrows += _watch_arrows(event)
        notes += _rebalance_notes(event, lanes)
    return Scene("A rebalance after a crash", lanes, arrows, notes)


def _watch_arrows(event: Happened) -> Iterable[Arrow]:
    name = str(event.get("client", "")).rpartition("/")[2]
    if event["event"] == "watch_fired" and name.startswith("Metrics"):
        yield Arrow("registry", name, event["at_us"], event["due_us"], "members changed")


def _rebalance_notes(event: Happened, lanes: list[str]) -> Iterable[Note]:
    at_us, who = event["at_us"], str(event.get("consumer", ""))
    short = [str(partition).replace("pageviews-", "p") for partition in event.get("partitions", [])]
    texts = {
        "consumer_crashed": "crashes",
        "session_expired": "session of Metrics B expires",
        "rebalance_started": "stops pulling",
        "ownership_released": f"has released {', '.join(short)}",
        "registry_read": f"sees {len(event.get('members', []))} members, {len(short)} partitions",
        "assignment_computed": f"its share: {', '.join(short)}",
        "rebalance_finished": f"owns {', '.join(short)}, pulls again",
    }
    if event["event"] == "session_expired":
        who = "registry"
    if event["event"] in texts and who in lanes:
        yield Note(who, at_us, texts[event["event"]])


FIGURES = {"write.svg": write, "read.svg": read, "rebalance.svg": rebalance}


def main() -> None:
    """Draw all figures."""
    for name, make in FIGURES.items():
        (FOLDER / name).write_text(draw(make()), encoding="utf-8")


if __name__ == "__main__":
    main()
