"""Checkers of bookmarks: they move forward with the work, and back only when somebody moved them."""

from dataclasses import dataclass, field

from engine.simulation.evidence import Anomalies, Anomaly, Evidence, Told

BEGINNING = 0
NOT_SET = -1


@dataclass(slots=True)
class Bookmark:
    """One group's place in one partition.

    ``places`` are the offsets at which one of its consumers has ever stood, or that somebody chose. ``moves`` are those
    chosen by hand or by a reset that may still arrive at the registry. ``values`` are what the registry has said, each
    with its place in the journal. ``chosen`` is what somebody wrote into the registry and no consumer has started from
    yet; a commit under way may undo it there, but then whoever starts ``owes`` a jump to it.
    """

    values: list[tuple[int, int]] = field(default_factory=lambda: [(NOT_SET, NOT_SET)])
    places: set[int] = field(default_factory=lambda: {BEGINNING})
    moves: list[int] = field(default_factory=list)
    chosen: int = NOT_SET
    owes: int = NOT_SET

    @property
    def value(self) -> int:
        """What the registry says now."""
        return self.values[-1][1]

    def stood_since(self, index: int) -> set[int]:
        """What the registry has said at or after a place in the journal."""
        later = {value for at, value in self.values if at > index}
        return later | {[value for at, value in self.values if at <= index][-1]}


class Bookmarks:
    """Follows all bookmarks through the journal."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._bookmarks: dict[tuple[str, str], Bookmark] = {}
        self._computed_at: dict[tuple[str, str], int] = {}

    def anomalies(self) -> Anomalies:
        """Go through the journal once."""
        for index, event in enumerate(self._evidence.events):
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
                case "pulling_started":
                    yield from self._start(event)

    def _of(self, event: Told) -> Bookmark:
        return self._named(event["group"], event["topic"], event["partition"])

    def _named(self, group: str, topic: str, partition: int) -> Bookmark:
        return self._bookmarks.setdefault((group, f"{topic}-{partition}"), Bookmark())

    def _move(self, event: Told) -> None:
        bookmark = self._of(event)
        bookmark.moves.append(event["offset"])
        bookmark.places.add(event["offset"])
        if event["event"] == "offset_sought":
            bookmark.chosen = NOT_SET if event["consumer"] else event["offset"]
            bookmark.owes = NOT_SET

    def _work(self, event: Told) -> Anomalies:
        bookmark = self._of(event)
        bookmark.places.add(event["next_offset"])
        if bookmark.owes != NOT_SET:
            yield Anomaly("seek-lost", f"somebody had moved the bookmark to {bookmark.owes}", (event,))
            bookmark.owes = NOT_SET

    def _set(self, index: int, event: Told) -> Anomalies:
        _, _, group, _, topic, node = event["path"].split("/")
        bookmark = self._named(group, topic, int(node.rpartition("-")[2]))
        was, value = bookmark.value, int(event["value"])
        if value not in bookmark.places:
            yield Anomaly("bookmark-ahead", f"{group} never stood at {value} in {topic}, {node}", (event,))
        if value < was:
            explaining = [number for number, offset in enumerate(bookmark.moves) if offset <= value]
            if explaining:
                del bookmark.moves[: explaining[0] + 1]
            elif was != bookmark.chosen:
                yield Anomaly("bookmark-moved-back", f"{group} had {was} in {topic}, {node}", (event,))
        bookmark.values.append((index, value))

    def _start(self, event: Told) -> Anomalies:
        """A consumer reads the bookmark after it has claimed, so it starts at what stood then or came later."""
        bookmark = self._of(event)
        bookmark.owes = bookmark.chosen if bookmark.chosen != event["offset"] else NOT_SET
        bookmark.chosen = NOT_SET
        stood = bookmark.stood_since(self._computed_at[(event["group"], event["consumer"])])
        if event["offset"] not in stood and not (NOT_SET in stood and event["offset"] == BEGINNING):
            yield Anomaly("started-elsewhere", f"the bookmark was {sorted(stood)}", (event,))


def bookmarks_follow_the_work(evidence: Evidence) -> Anomalies:
    """``bookmark-moved-back``: without a seek or a reset. ``bookmark-ahead``: where nobody has read up to.

    ``started-elsewhere``: a consumer did not begin where the bookmark was. ``seek-lost``: it did not go where somebody
    had moved the bookmark.
    """
    return Bookmarks(evidence).anomalies()
