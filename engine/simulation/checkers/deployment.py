"""Checkers of the deployment pattern: mirrors commit only what they sent, the warehouse has each message once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from engine.errors import InvalidMessage, InvalidMessageSize, UnsupportedCodec
from engine.message.message_set import DeepMessage, iterate_deep
from engine.simulation.history import Anomalies, Anomaly, History, JournalEvent, partition_of


def mirrors_commit_behind_their_work(history: History) -> Anomalies:
    """Find ``committed-unmirrored``: a mirror committed past messages that it never sent."""
    mirrors = history.state.get("deployment", {}).get("mirrors", {})
    sent: dict[tuple[str, str, str], int] = {}
    for event in history.events:
        if event["event"] == "batch_mirrored":
            place = (event["group"], event["consumer"], f"{event['source_topic']}-{event['source_partition']}")
            sent[place] = max(sent.get(place, 0), event["source_next_offset"])
        elif event.get("group") in mirrors and event.get("consumer"):
            yield from _follow(sent, event)


def _follow(sent: dict[tuple[str, str, str], int], event: JournalEvent) -> Anomalies:
    kind = event["event"]
    if kind not in ("fetching_started", "offset_sought", "offset_reset", "commit_sent"):
        return
    place = (event["group"], event["consumer"], partition_of(event))
    if kind == "commit_sent":
        if event["offset"] > sent[place]:
            yield Anomaly("committed-unmirrored", f"sent up to {sent[place]}", (event,))
    else:
        sent[place] = event["offset"]


def the_warehouse_holds_each_message_once(history: History) -> Anomalies:
    """Find ``loaded-twice``, ``loaded-never``, ``loaded-else``: rows that differ from the copies up to the offsets.

    The offsets are the warehouse's. Messages deleted by retention may be missing from the copies. A message that a
    mirror sent twice is two messages at two offsets.
    """
    rows = Counter((row.partition, row.offset, row.payload) for row in history.loaded.rows)
    for (partition, offset, _), count in rows.items():
        if count > 1 and not _may_repeat(history, partition, offset):
            yield Anomaly("loaded-twice", f"{partition} at {offset} is in the warehouse {count} times")
    kept = {(partition, offset) for partition, offset, _ in rows}
    for partition, next_offset in history.loaded.next_offsets.items():
        log = history.logs[partition]
        for message in _readable(log.content, log.first_offset):
            if not partition.startswith("live.clicks-") or message.next_offset > next_offset:
                continue
            if (partition, message.offset, message.payload) in rows:
                continue
            if (partition, message.offset) in kept:
                yield Anomaly("loaded-else", f"{partition} holds another message at {message.offset}")
            else:
                yield Anomaly("loaded-never", f"{partition} at {message.offset} is not in the warehouse")


def _readable(content: bytes, first_offset: int) -> Iterator[DeepMessage]:
    """Yield the messages up to the first damaged one; other checkers report bytes that changed on disk."""
    with suppress(InvalidMessage, InvalidMessageSize, UnsupportedCodec):
        yield from map(DeepMessage._make, iterate_deep(content, first_offset))


def _may_repeat(history: History, partition: str, offset: int) -> bool:
    """Return whether an offset may hold several messages over time: truncated offsets are used again."""
    return any(
        event["event"] == "log_cut" and partition_of(event) == partition and event["next_offset"] <= offset
        for event in history.events
    )
