"""``python -m benchmarks.reading_broker``: the broker as ``python -m webapp``, but for how it sends: it reads first."""

import os
import sys
from collections.abc import Iterable

from engine.storage.segment import SegmentSlice
from engine.tcp import connection
from engine.tcp.outbox import Outbox, Piece
from webapp.cli import main


class ReadingOutbox(Outbox):
    """An outbox that reads files into the process and sends what it read, copying it no more often than it must."""

    def put(self, pieces: Iterable[Piece]) -> None:
        self._pieces.extend(
            memoryview(_read(piece) if isinstance(piece, SegmentSlice) else piece)
            for piece in pieces
            if isinstance(piece, bytes) or piece.size_bytes
        )


def _read(piece: SegmentSlice) -> bytes:
    handle = os.open(piece.path, os.O_RDONLY)
    try:
        return os.pread(handle, piece.size_bytes, piece.position)
    finally:
        os.close(handle)


if __name__ == "__main__":
    connection.Outbox = ReadingOutbox  # type: ignore[misc]  # the one thing that differs
    sys.exit(main(sys.argv[1:]))
