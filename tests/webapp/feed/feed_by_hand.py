"""A journal, viewers and connections in memory, and a broadcaster whose turns the test takes."""

import json
from collections.abc import Iterator
from typing import Any

from engine.errors import OffsetInsideMessage, OffsetOutOfRange
from engine.journal.journal import JournalChunk
from webapp.feed import take_in
from webapp.feed.broadcaster import Broadcaster
from webapp.feed.viewer import Viewer
from webapp.room.answers import Moment
from webapp.room.digests import Digest, DigestLog
from webapp.room.growth import Budget
from webapp.room.pace import ClockFacts

RUNNING = ClockFacts(5, 1.0, paused=False, standing=False)
OVERHEAD_BYTES = 9


class FakeJournal:
    """A room as the feed sees it: a list of events with the offsets that a journal would give them."""

    def __init__(self, *sizes: int) -> None:
        self.payloads: list[bytes] = []
        self.offsets = [0]
        self.checkpoint_offset = 0
        self.clock = RUNNING
        self.reads = 0
        self.digests = DigestLog(Budget(fast_bytes_per_second=1_000, slow_bytes_per_second=100, burst_bytes=2_000))
        self.grow(*sizes)

    def grow(self, *sizes: int) -> None:
        for size in sizes:
            payload = b'{"n":%d,"x":"%s"}' % (len(self.payloads), b"x" * size)
            self.payloads.append(payload)
            self.offsets.append(self.offsets[-1] + OVERHEAD_BYTES + len(payload))

    @property
    def end(self) -> int:
        return self.offsets[-1]

    def moment(self) -> Moment:
        return Moment(self.clock, self.checkpoint_offset, self.end)

    def is_digested(self, offset: int) -> bool:
        return self.digests.covers(offset)

    def digest_after(self, offset: int) -> Digest:
        return self.digests.after(offset)

    def note(self, wall_ms: int, state: dict[str, Any], *, is_running: bool = True) -> None:
        """Note a publication, as a room does; ``state`` is both its summary and its snapshot."""
        self.digests.note(
            wall_ms * 1_000, self.end, is_running=is_running, summary=lambda: state, snapshot=lambda: {**state, "x": 1}
        )

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        if not 0 <= offset <= self.end:
            raise OffsetOutOfRange("outside", "come inside", offset=offset)
        if offset not in self.offsets:
            raise OffsetInsideMessage("inside an event", "start elsewhere", offset=offset)
        self.reads += bool(max_bytes)
        first = last = self.offsets.index(offset)
        while last < len(self.payloads) and self.offsets[last + 1] - offset <= max_bytes:
            last += 1
        return JournalChunk(offset, self.offsets[last], tuple(self.payloads[first:last]))


class Wire:
    """A viewer's connection in memory; ``room_bytes`` is how much more it takes before it is full."""

    def __init__(self, room_bytes: int = 1 << 40) -> None:
        self.sent = bytearray()
        self.room_bytes = room_bytes
        self.is_gone = False
        self.has_stopped_receiving = False

    def send_some(self, data: bytes | memoryview) -> int:
        if self.is_gone:
            raise BrokenPipeError
        if not self.room_bytes:
            raise BlockingIOError
        taken = bytes(data[: self.room_bytes])
        self.sent += taken
        self.room_bytes -= len(taken)
        return len(taken)

    def stop_receiving(self) -> None:
        self.has_stopped_receiving = True

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield every complete frame that was sent, as opcode and payload."""
        position = 0
        while position + 2 <= len(self.sent):
            opcode, size = self.sent[position] & 15, self.sent[position + 1]
            position += 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size = int.from_bytes(self.sent[position : position + wide])
                position += wide
            if position + size > len(self.sent):
                return
            yield opcode, bytes(self.sent[position : position + size])
            position += size

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for opcode, payload in self.frames() if opcode == 1]

    def codes(self) -> list[int]:
        return [int.from_bytes(payload[:2]) for opcode, payload in self.frames() if opcode == 8]


class Audience:
    """Viewers of one journal, and a broadcaster whose turns the test takes."""

    def __init__(self, journal: FakeJournal) -> None:
        self.now_s = 100.0
        self.journal = journal
        self.broadcaster = Broadcaster(now_s=lambda: self.now_s)
        self.viewers: list[Viewer] = []

    def join(self, wire: Wire | None = None) -> tuple[Viewer, Wire]:
        wire = wire or Wire()
        viewer = Viewer(self.journal, wire)
        self.viewers.append(viewer)
        self.broadcaster.join(viewer)
        return viewer, wire

    def turn(self, *, is_heartbeat: bool = False) -> None:
        self.broadcaster.serve(self.viewers, is_heartbeat=is_heartbeat)

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.turn()


def pull(viewer: Viewer, place: object, max_bytes: int = 1_000_000) -> None:
    take_in(viewer, json.dumps({"pull": place, "max_bytes": max_bytes}))


def stretches(messages: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(message["offset"], message["next"]) for message in messages]


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [event["n"] for message in messages for event in message["events"]]
