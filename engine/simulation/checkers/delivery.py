"""The checker of delivery: a group gets every message, in order, from its committed offset on."""

from dataclasses import dataclass, field
from typing import Any

from engine.simulation.checkers.sets import message_ends
from engine.simulation.history import Anomalies, Anomaly, History, JournalEvent, partition_of

NOTHING_TAKEN = (-1, -1, 0)


@dataclass(slots=True)
class FetchPosition:
    """One consumer's expected position in one partition, and the messages it has received and not consumed."""

    consumed_offset: int
    fetch_offset: int
    waiting: list[int] = field(default_factory=list)
    taken: tuple[int, int, int] = NOTHING_TAKEN
    last_commit: int = 0

    def jump(self, offset: int) -> None:
        """Continue at another offset and drop the waiting messages."""
        self.consumed_offset = self.fetch_offset = offset
        self.waiting.clear()
        self.taken = NOTHING_TAKEN

    def pop(self, messages: int) -> int:
        """Return the position after the next ``messages`` received messages; -1 if there are fewer.

        Zero messages leave the position where it is.
        """
        done, self.waiting = self.waiting[:messages], self.waiting[messages:]
        if len(done) < messages:
            return -1
        return done[-1] if done else self.consumed_offset


Key = tuple[str, str]
"""A group and a partition."""


class Deliveries:
    """A checker that follows every position of every group through the journal."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._positions: dict[tuple[str, str, str], FetchPosition] = {}

    def anomalies(self) -> Anomalies:
        """Go through the journal once."""
        for event in self._history.events:
            kind = event["event"]
            if kind == "consumer_crashed":
                gone = [key for key in self._positions if key[:2] == (event["group"], event["consumer"])]
                for key in gone:
                    del self._positions[key]
            elif kind in _HANDLERS and event.get("consumer", ""):
                yield from self._follow(kind, event)

    def _follow(self, kind: str, event: JournalEvent) -> Anomalies:
        key = (event["group"], event["consumer"], partition_of(event))
        if kind == "fetching_started":
            self._positions[key] = FetchPosition(event["offset"], event["offset"])
        elif key not in self._positions:
            yield Anomaly("message-skipped", f"{key[0]}/{key[1]} works on {key[2]}, which it does not fetch", (event,))
        elif kind == "fetching_stopped":
            del self._positions[key]
        else:
            yield from _HANDLERS[kind](self._history, self._positions[key], event)


def _received(history: History, position: FetchPosition, event: JournalEvent) -> Anomalies:
    if event["offset"] != position.fetch_offset and event["bytes"]:
        yield Anomaly("message-skipped", f"bytes were awaited from {position.fetch_offset} on", (event,))
    taken = event["next_offset"] - event["offset"]
    ends = message_ends(history.answers[event["fetch"]][:taken], event["offset"])
    if len(ends) != event["messages"]:
        yield Anomaly("message-skipped", f"{len(ends)} messages came and {event['messages']} were counted", (event,))
    position.fetch_offset = event["next_offset"]
    position.waiting += ends


def _consumed(_: History, position: FetchPosition, event: JournalEvent) -> Anomalies:
    """Check processed messages: those taken before, or the next ones waiting."""
    work = (event["offset"], event["next_offset"], event["messages"])
    if position.taken != NOTHING_TAKEN:
        if position.taken != work:
            yield Anomaly("message-skipped", f"the work done is not what was taken: {position.taken}", (event,))
        position.taken = NOTHING_TAKEN
        return
    if event["offset"] != position.consumed_offset:
        yield Anomaly("message-skipped", f"its position was {position.consumed_offset}", (event,))
    yield from _advance(position, event)


def _taken(_: History, position: FetchPosition, event: JournalEvent) -> Anomalies:
    if position.taken != NOTHING_TAKEN:
        yield Anomaly("message-skipped", f"what was taken before was never worked on: {position.taken}", (event,))
    position.taken = (position.consumed_offset, event["next_offset"], event["messages"])
    yield from _advance(position, event)


def _advance(position: FetchPosition, event: JournalEvent) -> Anomalies:
    next_offset = position.pop(event["messages"])
    if next_offset != event["next_offset"]:
        yield Anomaly("message-skipped", f"{event['messages']} messages further is {next_offset}", (event,))
    position.consumed_offset = event["next_offset"]


def _jumped(_: History, position: FetchPosition, event: JournalEvent) -> Anomalies:
    position.jump(event["offset"])
    yield from ()


def _committed(history: History, position: FetchPosition, event: JournalEvent) -> Anomalies:
    """Check a commit. One that is retried after a timeout repeats its offset. A mirror may commit less."""
    again = event["commit"] == position.last_commit
    position.last_commit = event["commit"]
    mirrors = event["group"] in history.state.get("deployment", {}).get("mirrors", {})
    behind = mirrors and event["offset"] < position.consumed_offset
    if not again and not behind and event["offset"] != position.consumed_offset:
        yield Anomaly("committed-unconsumed", f"it has consumed up to {position.consumed_offset}", (event,))


_HANDLERS: dict[str, Any] = {
    "fetching_started": None,
    "fetching_stopped": None,
    "fetch_received": _received,
    "messages_consumed": _consumed,
    "messages_taken": _taken,
    "offset_sought": _jumped,
    "offset_reset": _jumped,
    "commit_sent": _committed,
}


def every_message_is_delivered_in_order(history: History) -> Anomalies:
    """Find ``message-skipped``: a consumer passed a message it did not get, or processed one twice without a jump.

    ``committed-unconsumed``: a commit carries another offset than the consumed position.
    """
    return Deliveries(history).anomalies()
