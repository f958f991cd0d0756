"""The expected bytes of each partition's log at each moment, folded from the journal."""

from collections.abc import Mapping

from engine.simulation.history import JournalEvent, partition_of


class LogHistory:
    """One partition's expected log: all bytes appended and not truncated, undamaged, and the flushed offset.

    ``content`` begins at offset 0, also when retention has deleted the bytes before ``first_offset``. ``damaged``
    holds the entries with flipped bytes: entry offset -> positions of the bytes in the entry.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self.first_offset = 0
        self.flushed_offset = 0
        self.damaged: dict[int, set[int]] = {}

    def take(self, event: JournalEvent, batches: Mapping[int, bytes]) -> None:
        """Fold an event."""
        match event["event"]:
            case "batch_appended":
                self.content[event["offset"] :] = batches[event["batch"]]
            case "log_flushed":
                self.flushed_offset = event["flushed_offset"]
            case "log_cut":
                del self.content[event["next_offset"] :]
                self.flushed_offset = len(self.content)
                for offset in [offset for offset in self.damaged if offset >= event["next_offset"]]:
                    del self.damaged[offset]
            case "segment_deleted":
                self.first_offset = event["first_offset"]
                for offset in [offset for offset in self.damaged if offset < event["first_offset"]]:
                    del self.damaged[offset]
            case "byte_flipped":
                self._flip(event["offset"], event["position"])

    def _flip(self, offset: int, position: int) -> None:
        """Flip a byte; a byte that is flipped twice is undamaged again."""
        positions = self.damaged.setdefault(offset, set())
        positions ^= {position}
        if not positions:
            del self.damaged[offset]

    def on_disk(self) -> bytes:
        """Return the flushed bytes expected in the files, from ``first_offset`` on, damage included."""
        return self._flipped(self.first_offset, self.content[self.first_offset : self.flushed_offset])

    def without_damage(self, first_offset: int, content: bytes) -> bytes:
        """Return the bytes of files that begin at ``first_offset`` with every flipped byte as it was appended."""
        return self._flipped(first_offset, content)

    def _flipped(self, first_offset: int, content: bytes | bytearray) -> bytes:
        flipped = bytearray(content)
        for offset, positions in self.damaged.items():
            for position in positions:
                if 0 <= offset + position - first_offset < len(flipped):
                    flipped[offset + position - first_offset] ^= 0xFF
        return bytes(flipped)


class LogHistories:
    """The logs of all partitions, folded from the journal event by event."""

    def __init__(self, batches: Mapping[int, bytes]) -> None:
        self._batches = batches
        self.logs: dict[str, LogHistory] = {}

    def take(self, event: JournalEvent) -> None:
        """Fold an event; most events do not concern logs."""
        if event["event"] == "topic_added":
            for number in range(len(event["brokers"])):
                self.logs[f"{event['topic']}-{number}"] = LogHistory()
        elif event["event"] in CHANGES_LOGS:
            self.logs[partition_of(event)].take(event, self._batches)


CHANGES_LOGS = frozenset({"batch_appended", "log_flushed", "log_cut", "segment_deleted", "byte_flipped"})
