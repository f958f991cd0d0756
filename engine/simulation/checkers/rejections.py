"""Checks whether a consumer's position error is justified, by the bytes it had received, which the history has."""

from dataclasses import dataclass

from engine.simulation.checkers.sets import LENGTH_BYTES, starts_with_whole_entry
from engine.simulation.history import History, JournalEvent, partition_of

JUSTIFIED = ""
TOO_LARGE = "invalid_message_size"
OUT_OF_RANGE = "offset_out_of_range"
Place = tuple[str, str, str]
"""A group, a consumer and a partition."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejection by a consumer: the offset, the received bytes from there on, and the size it had requested.

    ``offset_reset`` is the consumer's setting at that moment.
    """

    offset: int
    received: bytes
    max_bytes: int
    offset_reset: str


class Rejections:
    """The last rejection of every consumer in every partition, folded from the journal."""

    def __init__(self, history: History) -> None:
        self._last: dict[Place, Rejection] = {}
        self._settings: dict[tuple[str, str], dict[str, object]] = {}
        sent: dict[int, JournalEvent] = {}
        received: dict[Place, JournalEvent] = {}
        for event in history.events:
            match event["event"]:
                case "consumer_added" | "consumer_changed":
                    self._settings[event["group"], event["consumer"]] = event["settings"]
                case "fetch_sent":
                    sent[event["fetch"]] = event
                case "fetch_received":
                    received[_place(event)] = event
                case "message_rejected":
                    answer = received.get(_place(event))
                    self._last[_place(event)] = self._rejection(history, event, answer, sent)

    def _rejection(
        self, history: History, event: JournalEvent, answer: JournalEvent | None, sent: dict[int, JournalEvent]
    ) -> Rejection:
        offset_reset = str(self._settings[event["group"], event["consumer"]]["offset_reset"])
        if answer is None or answer["next_offset"] != event["offset"]:
            return Rejection(event["offset"], b"", 0, offset_reset)
        taken = answer["next_offset"] - answer["offset"]
        data = history.answers[answer["fetch"]][taken:]
        return Rejection(event["offset"], data, sent[answer["fetch"]]["max_bytes"], offset_reset)

    def unjustified(self, consumer: JournalEvent, partition: str, position: JournalEvent) -> str:
        """Return why a position's error is not justified; ``JUSTIFIED`` if it is."""
        last = self._last.get((consumer["group"], consumer["consumer"], partition))
        if last is None or last.offset != position["fetch_offset"]:
            return "the journal has no event of it"
        if position["error"] == OUT_OF_RANGE:
            return JUSTIFIED if last.offset_reset == "fail" else f"its offset_reset was {last.offset_reset}"
        if not last.received:
            return "it had received nothing there"
        if starts_with_whole_entry(last.received):
            return "a whole message was there"
        if position["error"] == TOO_LARGE and _fits_now(last, consumer["settings"]["fetch_bytes"]):
            return "its fetches are large enough now"
        return JUSTIFIED


def _fits_now(last: Rejection, fetch_bytes: int) -> bool:
    """Return whether a message was larger than the fetch at that time and is not larger than the present fetch size."""
    size_bytes = LENGTH_BYTES + int.from_bytes(last.received[:LENGTH_BYTES], "big")
    return last.max_bytes < size_bytes <= fetch_bytes


def _place(event: JournalEvent) -> Place:
    return event["group"], event["consumer"], partition_of(event)
