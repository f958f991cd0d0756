"""The one thread that feeds all viewers.

It reads a journal once for all viewers at the same offset, writes to each socket without blocking, and retries full
sockets a little later. So a slow viewer does not delay the others, and a thousand viewers do not delay the engine.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from engine.errors import OffsetscopeError
from engine.message.format import MAGIC_0_OVERHEAD_BYTES
from webapp.errors import CreditTooSmall
from webapp.feed.frames import Frame, digest_frame, events_frame
from webapp.feed.pulls import CREDIT_BYTES_AT_MOST
from webapp.feed.source import Source
from webapp.feed.viewer import GOING_AWAY, Viewer
from webapp.room.answers import Moment

FRAME_BYTES = 64 * 1024
FRAMES_PER_TURN = 8
RETRY_S = 0.02
HEARTBEAT_S = 1.0

logger = logging.getLogger(__name__)


class Turn:
    """A cache of what one turn of the broadcaster has read from the journals; nothing is read or encoded twice."""

    def __init__(self) -> None:
        self._moments: dict[Source, Moment] = {}
        self._digested: dict[tuple[Source, int], bool] = {}
        self._frames: dict[tuple[Source, int, int], Frame] = {}
        self._digests: dict[tuple[Source, int], Frame] = {}
        self._empty: dict[tuple[Source, int], Frame] = {}

    def moment(self, source: Source) -> Moment:
        """Return the room's clock and offsets in this turn."""
        if source not in self._moments:
            self._moments[source] = source.moment()
        return self._moments[source]

    def frame(self, source: Source, offset: int, credit_bytes: int) -> Frame:
        """Return the next frame at ``offset``; it is empty if not even one event fits into the credit."""
        shared = self._encoded(source, offset, FRAME_BYTES)
        if offset < shared.next_offset <= offset + credit_bytes:
            return shared
        return self._encoded(source, offset, credit_bytes)

    def is_digested(self, source: Source, offset: int) -> bool:
        """Return whether a reader at ``offset`` that takes digests gets one."""
        if (source, offset) not in self._digested:
            self._digested[source, offset] = source.is_digested(offset)
        return self._digested[source, offset]

    def digest(self, source: Source, offset: int) -> Frame:
        """Return the digest for readers at ``offset``; it is empty if there is nothing new."""
        frame = self._digests.get((source, offset))
        if frame is None:
            digest = source.digest_after(offset)
            frame = digest_frame(digest, self.moment(source).clock) if digest.body else self.nothing(source, offset)
            self._digests[source, offset] = frame
        return frame

    def nothing(self, source: Source, offset: int) -> Frame:
        """Return a frame with the clock only, for a reader that has read everything."""
        if (source, offset) not in self._empty:
            self._empty[source, offset] = events_frame(offset, offset, offset, self.moment(source).clock, ())
        return self._empty[source, offset]

    def _encoded(self, source: Source, offset: int, max_bytes: int) -> Frame:
        frame = self._frames.get((source, offset, max_bytes))
        if frame is None:
            moment = self.moment(source)
            chunk = source.read_journal(offset, max_bytes)
            end_offset = max(moment.end_offset, chunk.next_offset)
            frame = events_frame(offset, chunk.next_offset, end_offset, moment.clock, chunk.payloads)
            self._frames[source, offset, max_bytes] = frame
        return frame


class Broadcaster:
    """The viewers of all rooms and the thread that serves them; ``now_s`` is any monotonic clock."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._changed = threading.Condition()
        self._viewers: dict[Source, set[Viewer]] = {}
        self._due: set[Viewer] = set()
        self._stalled: set[Viewer] = set()
        self._heartbeat_at_s = now_s() + HEARTBEAT_S
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="broadcaster", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, viewer: Viewer) -> None:
        """Serve ``viewer`` from now on; its connection is closed at once if the server is stopping."""
        with self._changed:
            self._viewers.setdefault(viewer.source, set()).add(viewer)
            stopped = self._is_stopped
        if stopped:
            viewer.end(GOING_AWAY, "server going away")

    def leave(self, viewer: Viewer) -> None:
        """Stop serving ``viewer``."""
        with self._changed:
            others = self._viewers.get(viewer.source, set())
            others.discard(viewer)
            if not others:
                self._viewers.pop(viewer.source, None)
            self._due.discard(viewer)
            self._stalled.discard(viewer)
            self._changed.notify_all()

    def wake(self, viewer: Viewer) -> None:
        """Serve ``viewer`` soon: it has pulled."""
        with self._changed:
            self._due.add(viewer)
            self._changed.notify_all()

    def wake_all(self, source: Source) -> None:
        """Serve the viewers of ``source`` soon: its journal has grown, or its clock has changed."""
        with self._changed:
            viewers = self._viewers.get(source, set())
            if viewers:
                self._due |= viewers
                self._changed.notify_all()

    def viewers_of(self, source: Source) -> int:
        """Return how many viewers ``source`` has."""
        with self._changed:
            return len(self._viewers.get(source, set()))

    def stop(self, *, within_s: float) -> None:
        """Close the connections of all viewers (1001), and wait at most ``within_s`` until they have left."""
        with self._changed:
            self._is_stopped = True
            viewers = self._all_viewers()
            self._changed.notify_all()
        for viewer in viewers:
            viewer.end(GOING_AWAY, "server going away")
        with self._changed:
            self._changed.wait_for(lambda: not self._viewers, timeout=within_s)
        if self._thread.is_alive():
            self._thread.join(within_s)

    def serve(self, viewers: Iterable[Viewer], *, is_heartbeat: bool) -> None:
        """Send each of ``viewers`` what is available for it: one turn."""
        turn = Turn()
        for viewer in viewers:
            try:
                self._serve(viewer, turn, is_heartbeat=is_heartbeat)
            except OffsetscopeError as error:
                viewer.drop_pull()
                viewer.refuse(error)
            except Exception:
                logger.exception("a viewer was dropped: its feed could not be made")
                viewer.end(1011, "the feed could not be made")

    def _serve(self, viewer: Viewer, turn: Turn, *, is_heartbeat: bool) -> None:
        for _ in range(FRAMES_PER_TURN):
            if viewer.flush() and viewer.credit_bytes:
                self._next(viewer, turn)  # may wait for the room, so the viewer is not locked before this read
            with viewer.lock:
                if not viewer.flush():
                    self._postpone(viewer, self._stalled)
                    return
                if not viewer.credit_bytes or not self._give_one(viewer, turn, is_heartbeat=is_heartbeat):
                    return
        self._postpone(viewer, self._due)

    def _give_one(self, viewer: Viewer, turn: Turn, *, is_heartbeat: bool) -> bool:
        """Send ``viewer`` the next frame, if one is due; return whether more may follow."""
        moment = turn.moment(viewer.source)
        frame, end_offset = self._next(viewer, turn)
        if 0 < frame.cost_bytes <= viewer.credit_bytes:
            viewer.take(frame, moment.clock, self._now_s())
            return True
        if frame.cost_bytes or viewer.offset < end_offset:
            if viewer.is_credit_whole:
                raise self._credit_too_small(viewer, frame)
            viewer.owes_frame |= not viewer.knows_credit_is_short  # next < end shows that it must pull again
            viewer.knows_credit_is_short = True
        is_news = viewer.owes_frame or viewer.last_clock != moment.clock.look
        if is_news or (is_heartbeat and self._now_s() - viewer.last_frame_at_s >= HEARTBEAT_S / 2):
            frame = events_frame(viewer.offset, viewer.offset, end_offset, moment.clock, ())
            viewer.take(frame, moment.clock, self._now_s())
        return False

    def _next(self, viewer: Viewer, turn: Turn) -> tuple[Frame, int]:
        """Return the next frame, and the end offset of what this viewer can read."""
        source = viewer.source
        end_offset = turn.moment(source).end_offset
        if viewer.takes_digests and (viewer.has_summary or turn.is_digested(source, viewer.offset)):
            digest = turn.digest(source, viewer.offset)
            return digest, digest.next_offset
        if viewer.offset >= end_offset:
            return turn.nothing(source, viewer.offset), viewer.offset
        return turn.frame(source, viewer.offset, viewer.credit_bytes), end_offset

    def _credit_too_small(self, viewer: Viewer, frame: Frame) -> CreditTooSmall:
        needed_bytes = frame.cost_bytes or self._bytes_of_event(viewer)
        what = "digest" if frame.cost_bytes else "event"
        return CreditTooSmall(
            f"the {what} at offset {viewer.offset} is larger than the whole credit",
            f"pull again with a larger max_bytes (up to {CREDIT_BYTES_AT_MOST})",
            offset=viewer.offset,
            max_bytes=viewer.credit_bytes,
            needed_bytes=needed_bytes,
        )

    def _bytes_of_event(self, viewer: Viewer) -> int:
        chunk = viewer.source.read_journal(viewer.offset, CREDIT_BYTES_AT_MOST)
        return MAGIC_0_OVERHEAD_BYTES + len(chunk.payloads[0]) if chunk.payloads else CREDIT_BYTES_AT_MOST + 1

    def _postpone(self, viewer: Viewer, waiting: set[Viewer]) -> None:
        with self._changed:
            if viewer in self._viewers.get(viewer.source, set()):
                waiting.add(viewer)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._is_over(), timeout=self._timeout_s())
                if self._is_over():
                    return
                viewers, is_heartbeat = self._next_turn()
            self.serve(viewers, is_heartbeat=is_heartbeat)

    def _is_over(self) -> bool:
        return self._is_stopped and not self._viewers

    def _timeout_s(self) -> float:
        """Return the longest wait for a change."""
        return RETRY_S if self._stalled else max(self._heartbeat_at_s - self._now_s(), 0.0)

    def _next_turn(self) -> tuple[set[Viewer], bool]:
        viewers = self._due | self._stalled
        self._due, self._stalled = set(), set()
        is_heartbeat = self._now_s() >= self._heartbeat_at_s
        if is_heartbeat:
            self._heartbeat_at_s = self._now_s() + HEARTBEAT_S
            viewers = self._all_viewers()
        return viewers, is_heartbeat

    def _all_viewers(self) -> set[Viewer]:
        return {viewer for viewers in self._viewers.values() for viewer in viewers}
