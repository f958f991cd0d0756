"""Checkers of what a group is delivered: every message, one after the other, from its bookmark on."""

from dataclasses import dataclass, field
from typing import Any

from engine.simulation.checkers.sets import message_ends
from engine.simulation.evidence import Anomalies, Anomaly, Evidence, Told, partition_of

NOTHING_TAKEN = (-1, -1, 0)


@dataclass(slots=True)
class Pull:
    """One consumer's time with one partition, as it must be: where it stands, and what it has been sent since."""

    consumed_offset: int
    fetch_offset: int
    waiting: list[int] = field(default_factory=list)
    taken: tuple[int, int, int] = NOTHING_TAKEN
    last_commit: int = 0

    def jump(self, offset: int) -> None:
        """Begin anew elsewhere."""
        self.consumed_offset = self.fetch_offset = offset
        self.waiting.clear()
        self.taken = NOTHING_TAKEN

    def pop(self, messages: int) -> int:
        """Where the consumer stands after the next ``messages`` messages that it was sent; -1 if there are not so many.

        None at all leave it where it is.
        """
        done, self.waiting = self.waiting[:messages], self.waiting[messages:]
        if len(done) < messages:
            return -1
        return done[-1] if done else self.consumed_offset


Key = tuple[str, str]
"""A group and a partition."""


class Deliveries:
    """Follows every pull of every group through the journal."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._pulls: dict[tuple[str, str, str], Pull] = {}

    def anomalies(self) -> Anomalies:
        """Go through the journal once."""
        for event in self._evidence.events:
            kind = event["event"]
            if kind == "consumer_crashed":
                gone = [key for key in self._pulls if key[:2] == (event["group"], event["consumer"])]
                for key in gone:
                    del self._pulls[key]
            elif kind in _HANDLERS and event.get("consumer", ""):
                yield from self._follow(kind, event)

    def _follow(self, kind: str, event: Told) -> Anomalies:
        key = (event["group"], event["consumer"], partition_of(event))
        if kind == "pulling_started":
            self._pulls[key] = Pull(event["offset"], event["offset"])
        elif key not in self._pulls:
            yield Anomaly("message-skipped", f"{key[0]}/{key[1]} works on {key[2]}, which it does not pull", (event,))
        elif kind == "pulling_stopped":
            del self._pulls[key]
        else:
            yield from _HANDLERS[kind](self._evidence, self._pulls[key], event)


def _received(evidence: Evidence, pull: Pull, event: Told) -> Anomalies:
    if event["offset"] != pull.fetch_offset and event["bytes"]:
        yield Anomaly("message-skipped", f"bytes were awaited from {pull.fetch_offset} on", (event,))
    taken = event["next_offset"] - event["offset"]
    ends = message_ends(evidence.answers[event["fetch"]][:taken], event["offset"])
    if len(ends) != event["messages"]:
        yield Anomaly("message-skipped", f"{len(ends)} messages came and {event['messages']} were counted", (event,))
    pull.fetch_offset = event["next_offset"]
    pull.waiting += ends


def _consumed(_: Evidence, pull: Pull, event: Told) -> Anomalies:
    """Work that ends: on what was taken before, or on the next that waits."""
    work = (event["offset"], event["next_offset"], event["messages"])
    if pull.taken != NOTHING_TAKEN:
        if pull.taken != work:
            yield Anomaly("message-skipped", f"the work done is not what was taken: {pull.taken}", (event,))
        pull.taken = NOTHING_TAKEN
        return
    if event["offset"] != pull.consumed_offset:
        yield Anomaly("message-skipped", f"it stood at {pull.consumed_offset}", (event,))
    yield from _advance(pull, event)


def _taken(_: Evidence, pull: Pull, event: Told) -> Anomalies:
    if pull.taken != NOTHING_TAKEN:
        yield Anomaly("message-skipped", f"what was taken before was never worked on: {pull.taken}", (event,))
    pull.taken = (pull.consumed_offset, event["next_offset"], event["messages"])
    yield from _advance(pull, event)


def _advance(pull: Pull, event: Told) -> Anomalies:
    next_offset = pull.pop(event["messages"])
    if next_offset != event["next_offset"]:
        yield Anomaly("message-skipped", f"{event['messages']} messages further is {next_offset}", (event,))
    pull.consumed_offset = event["next_offset"]


def _jumped(_: Evidence, pull: Pull, event: Told) -> Anomalies:
    pull.jump(event["offset"])
    yield from ()


def _committed(evidence: Evidence, pull: Pull, event: Told) -> Anomalies:
    """A commit that is asked again for want of an answer says what it said the first time. A mirror may commit less."""
    again = event["commit"] == pull.last_commit
    pull.last_commit = event["commit"]
    mirrors = event["group"] in evidence.state.get("deployment", {}).get("mirrors", {})
    behind = mirrors and event["offset"] < pull.consumed_offset
    if not again and not behind and event["offset"] != pull.consumed_offset:
        yield Anomaly("committed-unconsumed", f"it has consumed up to {pull.consumed_offset}", (event,))


_HANDLERS: dict[str, Any] = {
    "pulling_started": None,
    "pulling_stopped": None,
    "fetch_received": _received,
    "messages_consumed": _consumed,
    "messages_taken": _taken,
    "offset_sought": _jumped,
    "offset_reset": _jumped,
    "commit_sent": _committed,
}


def every_message_is_delivered_in_order(evidence: Evidence) -> Anomalies:
    """``message-skipped``: a consumer went past a message that it was not given, or worked on one twice in one go.

    ``committed-unconsumed``: a bookmark was sent off that is not where the consumer stands.
    """
    return Deliveries(evidence).anomalies()
