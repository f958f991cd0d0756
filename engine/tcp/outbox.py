"""The unsent data of a connection: bytes, and ranges of segment files that never pass through this process."""

import os
import socket
from collections import deque
from collections.abc import Iterable
from typing import Final

from engine.broker.request_handler import ResponsePart
from engine.storage.disk import open_file, storage_failed
from engine.storage.segment import SegmentSlice
from engine.tcp.platform import send_file

SENDFILE_MAX_BYTES: Final = 256 * 1024  # above some 300 kB a call gets slower, not faster
TURN_MAX_BYTES: Final = 1024 * 1024  # then it is another connection's turn

_NO_HANDLE: Final = -1
_MORE_FOLLOWS: Final = getattr(socket, "MSG_MORE", 0)


class Outbox:
    """A queue of parts of responses, sent in order; at most one file is open for it at a time.

    Raises ``OSError`` if the socket is broken and :class:`~engine.errors.StorageFailed` if the file is: retention may
    remove a segment before it is sent. Part of the response is sent by then, so the connection must be closed.
    """

    def __init__(self) -> None:
        self._parts: deque[memoryview | SegmentSlice] = deque()
        self._handle = _NO_HANDLE

    @property
    def is_empty(self) -> bool:
        return not self._parts

    def put(self, parts: Iterable[ResponsePart]) -> None:
        """Queue ``parts``; adjacent bytes are sent together."""
        gathered: list[bytes] = []
        for part in parts:
            if isinstance(part, bytes):
                gathered.append(part)
            elif part.size_bytes:
                self._put_bytes(gathered)
                gathered = []
                self._parts.append(part)
        self._put_bytes(gathered)

    def send(self, connected: socket.socket) -> int:
        """Send as much as the socket accepts, no more than a turn's worth; return the number of bytes."""
        sent_bytes = 0
        while self._parts and sent_bytes < TURN_MAX_BYTES:
            try:
                sent_bytes += self._send_first(connected)
            except BlockingIOError:
                break
        return sent_bytes

    def close(self) -> None:
        """Close the file that is being sent, if any."""
        if self._handle != _NO_HANDLE:
            handle, self._handle = self._handle, _NO_HANDLE
            os.close(handle)

    def _put_bytes(self, gathered: list[bytes]) -> None:
        if gathered:
            self._parts.append(memoryview(b"".join(gathered)))

    def _send_first(self, connected: socket.socket) -> int:
        first = self._parts[0]
        if isinstance(first, SegmentSlice):
            return self._send_file(connected, first)
        sent_bytes = connected.send(first, _MORE_FOLLOWS if len(self._parts) > 1 else 0)
        if sent_bytes == len(first):
            self._parts.popleft()
        else:
            self._parts[0] = first[sent_bytes:]
        return sent_bytes

    def _send_file(self, connected: socket.socket, part: SegmentSlice) -> int:
        if self._handle == _NO_HANDLE:
            try:
                self._handle = open_file(part.path, os.O_RDONLY)
            except OSError as error:
                raise storage_failed(part.path, "read", error) from error
        wanted_bytes = min(part.size_bytes, SENDFILE_MAX_BYTES)
        sent_bytes = send_file(connected, self._handle, part.position, wanted_bytes)
        if sent_bytes == 0:
            raise storage_failed(part.path, "read", "the file is shorter than what was written to it")
        if sent_bytes == part.size_bytes:
            self._parts.popleft()
            self.close()
        else:
            self._parts[0] = SegmentSlice(part.path, part.position + sent_bytes, part.size_bytes - sent_bytes)
        return sent_bytes
