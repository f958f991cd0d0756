"""The checker of committed offsets: they follow the consumed position, and move back only by a seek or a reset."""

from dataclasses import dataclass, field

from engine.simulation.history import Anomalies, Anomaly, History, JournalEvent

BEGINNING = 0
NOT_SET = -1


@dataclass(slots=True)
class CommittedOffset:
    """The committed offset of one group in one partition, folded from the journal.

    ``places`` are all positions that the group's consumers have had, and the targets of seeks. ``moves`` are the
    targets of seeks and resets that may still arrive at the registry. ``values`` are the registry's values, each with
    its index in the journal. ``chosen`` is the target of a seek that went to the registry and from which no consumer
    has started yet. A commit in flight may overwrite it there; ``expected_seek`` is then where the next owner must
    still jump to.
    """

    values: list[tuple[int, int]] = field(default_factory=lambda: [(NOT_SET, NOT_SET)])
    places: set[int] = field(default_factory=lambda: {BEGINNING})
    moves: list[int] = field(default_factory=list)
    chosen: int = NOT_SET
    expected_seek: int = NOT_SET

    @property
    def value(self) -> int:
        """The committed offset in the registry now."""
        return self.values[-1][1]

    def values_since(self, index: int) -> set[int]:
        """Return the values of the registry at or after an index in the journal."""
        later = {value for at, value in self.values if at > index}
        return later | {[value for at, value in self.values if at <= index][-1]}


class CommittedOffsets:
    """A checker that follows the committed offset of every group in every partition through the journal."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._committed: dict[tuple[str, str], CommittedOffset] = {}
        self._computed_at: dict[tuple[str, str], int] = {}

    def anomalies(self) -> Anomalies:
        """Go through the journal once."""
        for index, event in enumerate(self._history.events):
            match event["event"]:
                case "node_created" | "node_changed" if "/offsets/" in event["path"] and event["value"]:
                    yield from self._set(index, event)
                case "offset_sought" | "offset_reset":
                    self._move(event)
                case "messages_consumed" | "messages_taken":
                    yield from self._work(event)
                case "assignment_computed":
                    self._computed_at[(event["group"], event["consumer"])] = index
                case "batch_mirrored":
                    place = self._named(event["group"], event["source_topic"], event["source_partition"])
                    place.places |= {event["source_offset"], event["source_next_offset"]}
                case "fetching_started":
                    yield from self._start(event)

    def _of(self, event: JournalEvent) -> CommittedOffset:
        return self._named(event["group"], event["topic"], event["partition"])

    def _named(self, group: str, topic: str, partition: int) -> CommittedOffset:
        return self._committed.setdefault((group, f"{topic}-{partition}"), CommittedOffset())

    def _move(self, event: JournalEvent) -> None:
        committed = self._of(event)
        committed.moves.append(event["offset"])
        committed.places.add(event["offset"])
        if event["event"] == "offset_sought":
            committed.chosen = NOT_SET if event["consumer"] else event["offset"]
            committed.expected_seek = NOT_SET

    def _work(self, event: JournalEvent) -> Anomalies:
        committed = self._of(event)
        committed.places.add(event["next_offset"])
        if committed.expected_seek != NOT_SET:
            yield Anomaly("seek-lost", f"a seek had moved the committed offset to {committed.expected_seek}", (event,))
            committed.expected_seek = NOT_SET

    def _set(self, index: int, event: JournalEvent) -> Anomalies:
        _, _, group, _, topic, node = event["path"].split("/")
        committed = self._named(group, topic, int(node.rpartition("-")[2]))
        was, value = committed.value, int(event["value"])
        if value not in committed.places:
            yield Anomaly("commit-ahead", f"{group} was never at {value} in {topic}, {node}", (event,))
        if value < was:
            explaining = [number for number, offset in enumerate(committed.moves) if offset <= value]
            if explaining:
                del committed.moves[: explaining[0] + 1]
            elif was != committed.chosen:
                yield Anomaly("commit-moved-back", f"{group} had {was} in {topic}, {node}", (event,))
        committed.values.append((index, value))

    def _start(self, event: JournalEvent) -> Anomalies:
        """Check a start: a consumer reads the committed offset after its claim, so it gets the value then or later."""
        committed = self._of(event)
        committed.expected_seek = committed.chosen if committed.chosen != event["offset"] else NOT_SET
        committed.chosen = NOT_SET
        values = committed.values_since(self._computed_at[(event["group"], event["consumer"])])
        if event["offset"] not in values and not (NOT_SET in values and event["offset"] == BEGINNING):
            yield Anomaly("started-elsewhere", f"the committed offset was {sorted(values)}", (event,))


def committed_offsets_follow_the_work(history: History) -> Anomalies:
    """Find ``commit-moved-back``, without a seek or a reset, and ``commit-ahead``, beyond all that was consumed.

    ``started-elsewhere``: a consumer did not start at the committed offset. ``seek-lost``: it did not start at the
    target of a seek.
    """
    return CommittedOffsets(history).anomalies()
