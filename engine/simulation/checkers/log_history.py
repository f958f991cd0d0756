"""What the journal says a partition's log held at each moment, byte by byte."""

from collections.abc import Mapping

from engine.simulation.history import JournalEvent, partition_of


class LogHistory:
    """One partition's log as it should be: all bytes appended and not cut, undamaged, and how far they are flushed.

    ``content`` begins at offset 0, also when retention has taken the beginning (``first_offset``) away. ``damaged``
    holds the entries with a flipped byte: entry offset -> positions of the bytes in the entry.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self.first_offset = 0
        self.flushed_offset = 0
        self.damaged: dict[int, set[int]] = {}

    def take(self, event: JournalEvent, batches: Mapping[int, bytes]) -> None:
        """Change as an event says."""
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
        """A byte that is flipped twice is whole again."""
        positions = self.damaged.setdefault(offset, set())
        positions ^= {position}
        if not positions:
            del self.damaged[offset]

    def on_disk(self) -> bytes:
        """The flushed bytes from ``first_offset`` on as they should be in the files, damage included."""
        return self._flipped(self.first_offset, self.content[self.first_offset : self.flushed_offset])

    def without_damage(self, first_offset: int, content: bytes) -> bytes:
        """The bytes of files that begin at ``first_offset``, with every flipped byte as it was appended."""
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
        """Change as an event says; most events say nothing about logs."""
        if event["event"] == "topic_added":
            for number in range(len(event["brokers"])):
                self.logs[f"{event['topic']}-{number}"] = LogHistory()
        elif event["event"] in CHANGES_LOGS:
            self.logs[partition_of(event)].take(event, self._batches)


CHANGES_LOGS = frozenset({"batch_appended", "log_flushed", "log_cut", "segment_deleted", "byte_flipped"})
