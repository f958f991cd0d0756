"""Sending of segment files: the flushed bytes of a file, piece by piece, never all of it in memory."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Self

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from engine.errors import OffsetOutOfRange
from engine.storage.segment import SegmentSlice
from webapp.errors import UnknownSegment

PIECE_BYTES = 64 * 1024


class FlushedFile:
    """A read-only view of the first bytes of an open file, without what the engine appends meanwhile.

    It stays readable when retention deletes the file, because the file is open.
    """

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        """Limit ``file`` to its first ``size_bytes`` bytes."""
        facts = os.fstat(file.fileno())
        self.size_bytes = min(size_bytes, facts.st_size)
        self.modified_ns = facts.st_mtime_ns
        self._file = file

    @classmethod
    def open(cls, piece: SegmentSlice) -> Self:
        """Open the file of a slice; raises ``UnknownSegment`` if it was deleted meanwhile."""
        try:
            return cls(piece.path.open("rb"), piece.size_bytes)
        except FileNotFoundError as error:
            raise _unknown(piece.path.name, ()) from error

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes; none at the end."""
        return self._file.read(max(0, min(size, self.size_bytes - self._file.tell())))

    def seekable(self) -> bool:
        """Return true, so that range requests can seek."""
        return True

    def seek(self, position: int) -> int:
        """Move to ``position`` in bytes."""
        return self._file.seek(position)

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def find_file(files: Sequence[SegmentSlice], name: str) -> SegmentSlice:
    """Return the file of that name; raises ``UnknownSegment`` if there is none."""
    for piece in files:
        if piece.path.name == name:
            return piece
    raise _unknown(name, files)


def _unknown(name: str, files: Sequence[SegmentSlice]) -> UnknownSegment:
    known = ", ".join(piece.path.name for piece in files[:3]) + (", ..." if len(files) > 3 else "")
    return UnknownSegment(
        f"there is no segment file {name[:40]!r} here",
        f"use one of: {known}" if known else "retention removed it; ask for the list again",
        file=name[:40],
    )


def base_offset(path: Path) -> int:
    """Return the offset of the first byte, from the file's name."""
    return int(path.stem)


def send_segment(piece: SegmentSlice) -> Response:
    """Return the file's flushed bytes as a download under its own name, or the requested range of them."""
    file = FlushedFile.open(piece)
    size_bytes = file.size_bytes
    base = base_offset(piece.path)
    response = Response(FileWrapper(file, PIECE_BYTES), mimetype="application/octet-stream", direct_passthrough=True)  # type: ignore[arg-type]  # it calls only read, seek and tell
    response.content_length = size_bytes
    response.headers["X-Base-Offset"] = str(base)
    response.headers["X-Next-Offset"] = str(base + size_bytes)
    response.headers["Content-Disposition"] = f'attachment; filename="{piece.path.name}"'
    response.set_etag(f"{base}-{size_bytes}-{file.modified_ns}")
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=size_bytes)
    except RequestedRangeNotSatisfiable as error:
        file.close()
        raise OffsetOutOfRange(
            f"the file has {size_bytes} bytes", "ask for a range within them", file=piece.path.name, bytes=size_bytes
        ) from error
    return response
