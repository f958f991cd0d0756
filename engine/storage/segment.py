"""A segment of a log: one file of message sets, from a base offset on."""

import re
from dataclasses import dataclass
from pathlib import Path

from engine.config import NEVER_US
from engine.storage.disk import Disk
from engine.storage.segment_file import SegmentFile

_NAME = re.compile(r"(\d{20})\.kafka")


def segment_name(base_offset: int) -> str:
    """Return the file name of a segment: the offset of its first byte, in 20 digits (0.7: Log.nameFromOffset)."""
    return f"{base_offset:020d}.kafka"


def base_offsets(names: list[str]) -> list[int]:
    """Return the base offsets of all segment files among ``names``, in order; other files are ignored."""
    return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)


@dataclass(frozen=True, slots=True)
class SegmentSlice:
    """A range of flushed bytes in the file of a segment."""

    path: Path
    position: int
    size_bytes: int


class Segment:
    """The part of a log from ``base_offset`` to ``next_offset``, of which readers see what is below ``flushed_offset``.

    All offsets are bytes of the whole log. Raises :class:`~engine.errors.StorageFailed` if the disk fails.

    The times of a segment are those of its file until the caller sets one (:meth:`append`, :meth:`stamp`). Then the
    segment keeps the time itself, and writes it to the file when it is flushed and when it is sealed.
    ``first_append_us`` is the time of the first append since the segment was opened, :data:`NEVER_US` before it.
    """

    __slots__ = (  # a log may have thousands
        "_flushed_bytes",
        "_flushed_modified_us",
        "_modified_us",
        "base_offset",
        "file",
        "first_append_us",
    )

    def __init__(self, directory: Path, base_offset: int, disk: Disk, *, sealed: bool) -> None:
        """Open the segment; the bytes in its file count as flushed."""
        self.base_offset = base_offset
        self.file = SegmentFile(directory / segment_name(base_offset), disk, sealed=sealed)
        self.first_append_us = NEVER_US
        self._flushed_bytes = self.file.size_bytes
        self._modified_us = NEVER_US
        self._flushed_modified_us = NEVER_US

    @property
    def next_offset(self) -> int:
        return self.base_offset + self.file.size_bytes

    @property
    def flushed_offset(self) -> int:
        return self.base_offset + self._flushed_bytes

    @property
    def size_bytes(self) -> int:
        """Bytes in the file, flushed or not."""
        return self.file.size_bytes

    @property
    def flushed_bytes(self) -> int:
        return self._flushed_bytes

    @property
    def modified_us(self) -> int:
        """When the segment was last appended to, or else created."""
        return self.file.modified_us() if self._modified_us == NEVER_US else self._modified_us

    def append(self, data: bytes, at_us: int) -> None:
        """Write ``data`` at the end; a partial write is undone."""
        self.file.append(data)
        if self.first_append_us == NEVER_US:
            self.first_append_us = at_us
        self._modified_us = at_us

    def keep_time(self, modified_us: int) -> None:
        """Keep the time of the last change here from now on, starting with ``modified_us``; ignore that of the file."""
        self._modified_us = self._flushed_modified_us = modified_us

    def stamp(self, at_us: int) -> None:
        """Set the time of the last change to ``at_us``, in the file too."""
        self.file.set_modified(at_us)
        self.keep_time(at_us)

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Return flushed bytes from ``offset`` on, which must not be before the segment."""
        position = offset - self.base_offset
        return self.file.read(position, min(max_bytes, self._flushed_bytes - position))

    def read_unflushed(self, offset: int, max_bytes: int) -> bytes:
        """Return bytes from ``offset`` on, flushed or not, as an observer sees them in the file."""
        return self.file.read_unflushed(offset - self.base_offset, max_bytes)

    def locate(self, offset: int, max_bytes: int) -> SegmentSlice:
        """Return where :meth:`read` finds its bytes."""
        position = offset - self.base_offset
        return SegmentSlice(self.file.path, position, max(0, min(max_bytes, self._flushed_bytes - position)))

    def flush(self) -> None:
        """Put all bytes on disk, then make them visible to readers."""
        self.file.sync()
        self._flushed_bytes = self.file.size_bytes
        if self._modified_us != NEVER_US:
            self.stamp(self._modified_us)

    def truncate(self, size_bytes: int) -> None:
        """Truncate the segment to its first ``size_bytes`` and put that on disk."""
        self.file.truncate(size_bytes)
        self.flush()

    def lose_unflushed(self) -> int:
        """Simulate a power cut: drop the unflushed bytes; return how many were lost."""
        lost_bytes = self.file.size_bytes - self._flushed_bytes
        self.file.truncate(self._flushed_bytes)
        self._modified_us = self._flushed_modified_us
        return lost_bytes

    def seal(self) -> None:
        """End appending: from now on the segment is only read."""
        self.file.seal()
        if self._modified_us != NEVER_US:  # only now: Windows dates a file when the handle that wrote to it is closed
            self.stamp(self._modified_us)

    def remove(self) -> None:
        """Remove the file; the segment must not be used afterwards."""
        self.file.remove()
