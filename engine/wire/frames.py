"""Cutting a stream of bytes into the requests or responses that it is made of."""

from struct import Struct
from typing import Final

from engine.wire.faults import FrameSizeRefused

REQUEST_MAX_BYTES: Final = 104_857_600  # 0.7: max.socket.request.bytes
LENGTH_BYTES: Final = 4

_LENGTH = Struct(">i")


class FrameBuffer:
    """The bytes of one direction of a connection that are not used up yet.

    It holds what was fed and no more: a length field that announces much takes no room by itself.
    """

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._pending = bytearray()
        self._start = 0

    @property
    def buffered_bytes(self) -> int:
        return len(self._pending) - self._start

    @property
    def missing_bytes(self) -> int:
        """How many bytes the next frame still needs, as far as is known; 0 if it is whole.

        :class:`FrameSizeRefused` if its length is not positive or over the limit; it cannot be read on after that.
        """
        buffered = len(self._pending) - self._start
        if buffered < LENGTH_BYTES:
            return LENGTH_BYTES - buffered
        size: int = _LENGTH.unpack_from(self._pending, self._start)[0]
        if not 0 < size <= self._max_frame_bytes:
            raise FrameSizeRefused(
                f"a length of {size} bytes", f"send 1 to {self._max_frame_bytes} bytes behind the length", bytes=size
            )
        return max(0, LENGTH_BYTES + size - buffered)

    @property
    def has_frame(self) -> bool:
        """Whether :meth:`take` may be called; raises as :attr:`missing_bytes`."""
        return self.missing_bytes == 0

    def feed(self, data: bytes | memoryview) -> None:
        """Bytes as they came, in any portions."""
        if self._start:
            del self._pending[: self._start]
            self._start = 0
        self._pending += data

    def take(self) -> bytes:
        """The next whole frame, without its length field."""
        assert self.has_frame
        begin = self._start + LENGTH_BYTES
        size: int = _LENGTH.unpack_from(self._pending, self._start)[0]
        end = begin + size
        with memoryview(self._pending) as view:
            frame = bytes(view[begin:end])
        if end == len(self._pending):
            self._pending = bytearray()
            self._start = 0
        else:
            self._start = end
        return frame
