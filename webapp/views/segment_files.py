"""Segment files on their way to somebody: the flushed bytes of a file, piece by piece, never all of it in memory."""

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
    """The first bytes of an open file as if they were all: what the engine writes meanwhile is not seen.

    It stays readable when retention removes the file, for a file that is open is not gone yet.
    """

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        """``size_bytes`` at most."""
        facts = os.fstat(file.fileno())
        self.size_bytes = min(size_bytes, facts.st_size)
        self.modified_ns = facts.st_mtime_ns
        self._file = file

    @classmethod
    def open(cls, piece: SegmentSlice) -> Self:
        """Open the file of a slice; ``UnknownSegment`` if it was removed meanwhile."""
        try:
            return cls(piece.path.open("rb"), piece.size_bytes)
        except FileNotFoundError as error:
            raise _unknown(piece.path.name, ()) from error

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, none at the end."""
        return self._file.read(max(0, min(size, self.size_bytes - self._file.tell())))

    def seekable(self) -> bool:
        """Ranges can be skipped to."""
        return True

    def seek(self, position: int) -> int:
        """Go there."""
        return self._file.seek(position)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def find_file(files: Sequence[SegmentSlice], name: str) -> SegmentSlice:
    """The file of that name; ``UnknownSegment`` if there is none."""
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
    """Of the first byte: a segment file is named after it."""
    return int(path.stem)


def send_segment(piece: SegmentSlice) -> Response:
    """The file's flushed bytes as a download under its own name; a part of them if the request asks for a range."""
    file = FlushedFile.open(piece)
    size_bytes = file.size_bytes
    base = base_offset(piece.path)
    response = Response(FileWrapper(file, PIECE_BYTES), mimetype="application/octet-stream", direct_passthrough=True)  # type: ignore[arg-type]  # it asks for read, seek and tell alone
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
