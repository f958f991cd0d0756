"""``python -m benchmarks.reading_broker``: the broker as ``python -m webapp``, but for how it sends: it reads first."""

import os
import sys
from collections.abc import Iterable

from engine.storage.segment import SegmentSlice
from engine.tcp import connection
from engine.tcp.outbox import Outbox, ResponsePart
from webapp.cli import main


class ReadingOutbox(Outbox):
    """An outbox that reads files into the process and sends what it read, copying it no more often than it must."""

    def put(self, parts: Iterable[ResponsePart]) -> None:
        self._parts.extend(
            memoryview(_read(part) if isinstance(part, SegmentSlice) else part)
            for part in parts
            if isinstance(part, bytes) or part.size_bytes
        )


def _read(part: SegmentSlice) -> bytes:
    handle = os.open(part.path, os.O_RDONLY)
    try:
        return os.pread(handle, part.size_bytes, part.position)
    finally:
        os.close(handle)


if __name__ == "__main__":
    connection.Outbox = ReadingOutbox  # type: ignore[misc]  # the one thing that differs
    sys.exit(main(sys.argv[1:]))
