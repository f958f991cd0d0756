"""What a connection has still to send: bytes, and stretches of segment files that never pass through this process."""

import os
import socket
from collections import deque
from collections.abc import Iterable
from typing import Final

from engine.storage.disk import open_file, storage_failed
from engine.storage.segment import SegmentSlice
from engine.tcp.platform import send_file

SENDFILE_MAX_BYTES: Final = 256 * 1024  # above some 300 kB a call gets slower, not faster
TURN_MAX_BYTES: Final = 1024 * 1024  # then it is somebody else's turn

_NO_HANDLE: Final = -1
_MORE_FOLLOWS: Final = getattr(socket, "MSG_MORE", 0)

Piece = bytes | SegmentSlice


class Outbox:
    """Pieces of responses in the order in which they leave; at most one file is open for it at a time.

    Raises ``OSError`` when the socket is broken and :class:`~engine.errors.StorageFailed` when the file is: retention
    may take a segment away whose turn had not come. Half a response is out by then, so the connection must end.
    """

    def __init__(self) -> None:
        self._pieces: deque[memoryview | SegmentSlice] = deque()
        self._handle = _NO_HANDLE

    @property
    def is_empty(self) -> bool:
        return not self._pieces

    def put(self, pieces: Iterable[Piece]) -> None:
        """Send these too; neighbouring bytes leave together."""
        gathered: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                gathered.append(piece)
            elif piece.size_bytes:
                self._put_bytes(gathered)
                gathered = []
                self._pieces.append(piece)
        self._put_bytes(gathered)

    def send(self, connected: socket.socket) -> int:
        """Send as much as the socket takes, no more than a turn's worth; return the number of bytes."""
        sent_bytes = 0
        while self._pieces and sent_bytes < TURN_MAX_BYTES:
            try:
                sent_bytes += self._send_first(connected)
            except BlockingIOError:
                break
        return sent_bytes

    def close(self) -> None:
        """Let the file go."""
        if self._handle != _NO_HANDLE:
            handle, self._handle = self._handle, _NO_HANDLE
            os.close(handle)

    def _put_bytes(self, gathered: list[bytes]) -> None:
        if gathered:
            self._pieces.append(memoryview(b"".join(gathered)))

    def _send_first(self, connected: socket.socket) -> int:
        first = self._pieces[0]
        if isinstance(first, SegmentSlice):
            return self._send_file(connected, first)
        sent_bytes = connected.send(first, _MORE_FOLLOWS if len(self._pieces) > 1 else 0)
        if sent_bytes == len(first):
            self._pieces.popleft()
        else:
            self._pieces[0] = first[sent_bytes:]
        return sent_bytes

    def _send_file(self, connected: socket.socket, piece: SegmentSlice) -> int:
        if self._handle == _NO_HANDLE:
            try:
                self._handle = open_file(piece.path, os.O_RDONLY)
            except OSError as error:
                raise storage_failed(piece.path, "read", error) from error
        wanted_bytes = min(piece.size_bytes, SENDFILE_MAX_BYTES)
        sent_bytes = send_file(connected, self._handle, piece.position, wanted_bytes)
        if sent_bytes == 0:
            raise storage_failed(piece.path, "read", "the file is shorter than what was written to it")
        if sent_bytes == piece.size_bytes:
            self._pieces.popleft()
            self.close()
        else:
            self._pieces[0] = SegmentSlice(piece.path, piece.position + sent_bytes, piece.size_bytes - sent_bytes)
        return sent_bytes
