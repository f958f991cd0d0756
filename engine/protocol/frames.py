"""Splitting a stream of bytes into frames, one for each request or response."""

from struct import Struct
from typing import Final

from engine.protocol.faults import FrameSizeRefused

REQUEST_MAX_BYTES: Final = 104_857_600  # 0.7: max.socket.request.bytes
LENGTH_BYTES: Final = 4

_LENGTH = Struct(">i")


class FrameBuffer:
    """A buffer of the unconsumed bytes of one direction of a connection.

    It holds what was fed and no more: a large length field alone allocates nothing.
    """

    __slots__ = ("_head", "_max_frame_bytes", "_start", "_tail")

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._head = b""  # frames are cut from here, from _start on
        self._start = 0
        self._tail = bytearray()  # what came after the head; joined to it when that makes a frame whole

    @property
    def buffered_bytes(self) -> int:
        return len(self._head) - self._start + len(self._tail)

    @property
    def has_frame(self) -> bool:
        """Whether the next frame is complete; raises :class:`FrameSizeRefused` as :meth:`take` does."""
        return self.buffered_bytes >= self._needed_bytes()

    def feed(self, data: bytes | memoryview) -> None:
        """Add bytes as they arrived, in portions of any size."""
        rest_bytes = len(self._head) - self._start
        if rest_bytes < len(data) and not self._tail:
            self._head = b"".join((self._head[self._start :], data))
            self._start = 0
        else:  # copying a large rest for each small portion would take quadratic time
            self._tail += data

    def take(self) -> bytes:
        """Return the next frame without its length field, or b"" if it is incomplete; a frame is never empty.

        Raises :class:`FrameSizeRefused` if its length is not positive or over the limit. Nothing can be read after
        that.
        """
        needed_bytes = self._needed_bytes()
        start = self._start
        end = start + needed_bytes
        if end > len(self._head):
            if self.buffered_bytes < needed_bytes:
                return b""
            self._join()
            start, end = 0, needed_bytes
        frame = self._head[start + LENGTH_BYTES : end]
        if end == len(self._head):
            self._head = b""
            end = 0
        self._start = end
        return frame

    def _needed_bytes(self) -> int:
        """Return the size of the next frame with its length field, or that of the field while it is incomplete."""
        if len(self._head) - self._start < LENGTH_BYTES:
            if self.buffered_bytes < LENGTH_BYTES:
                return LENGTH_BYTES
            self._join()
        size: int = _LENGTH.unpack_from(self._head, self._start)[0]
        if not 0 < size <= self._max_frame_bytes:
            raise FrameSizeRefused(
                f"a length of {size} bytes", f"send 1 to {self._max_frame_bytes} bytes after the length", bytes=size
            )
        return LENGTH_BYTES + size

    def _join(self) -> None:
        self._head = self._head[self._start :] + self._tail
        self._start = 0
        self._tail = bytearray()
