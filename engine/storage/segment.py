"""One piece of a log: a file of message sets, from a base offset on."""

import re
from dataclasses import dataclass
from pathlib import Path

from engine.config import NEVER_US
from engine.storage.disk import Disk
from engine.storage.segment_file import SegmentFile

_NAME = re.compile(r"(\d{20})\.kafka")


def segment_name(base_offset: int) -> str:
    """The file name of a segment: the offset of its first byte, in 20 digits (0.7: Log.nameFromOffset)."""
    return f"{base_offset:020d}.kafka"


def base_offsets(names: list[str]) -> list[int]:
    """The base offsets of all segment files among ``names``, in order; other files are none of ours."""
    return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)


@dataclass(frozen=True, slots=True)
class SegmentSlice:
    """Flushed bytes of a segment, by the place in the file where they stand."""

    path: Path
    position: int
    size_bytes: int


class Segment:
    """A stretch of a log, ``base_offset`` to ``next_offset``, of which readers see what lies below ``flushed_offset``.

    All offsets are bytes of the whole log. Raises :class:`~engine.errors.StorageFailed` wherever the disk refuses.

    The times of a segment are those of its file, unless somebody says otherwise (:meth:`append`, :meth:`stamp`):
    then the segment goes by what it was told, and tells the file when it is flushed and when it is sealed.
    ``first_append_us`` is when the first bytes came since the segment was opened, :data:`NEVER_US` if none did.
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
        """Open the segment; what its file holds counts as flushed."""
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
        """When the segment was last appended to, or else came to be."""
        return self.file.modified_us() if self._modified_us == NEVER_US else self._modified_us

    def append(self, data: bytes, at_us: int) -> None:
        """Write ``data`` at the end: all of it, or nothing that stays."""
        self.file.append(data)
        if self.first_append_us == NEVER_US:
            self.first_append_us = at_us
        self._modified_us = at_us

    def keep_time(self, modified_us: int) -> None:
        """Go by what is told from now on, beginning with when the segment was last changed."""
        self._modified_us = self._flushed_modified_us = modified_us

    def stamp(self, at_us: int) -> None:
        """Count the segment, as it is, as changed at ``at_us``."""
        self.file.set_modified(at_us)
        self.keep_time(at_us)

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Flushed bytes from ``offset`` on, which must not lie before the segment."""
        position = offset - self.base_offset
        return self.file.read(position, min(max_bytes, self._flushed_bytes - position))

    def look(self, offset: int, max_bytes: int) -> bytes:
        """Bytes from ``offset`` on, flushed or not, as an observer sees them in the file."""
        return self.file.look(offset - self.base_offset, max_bytes)

    def locate(self, offset: int, max_bytes: int) -> SegmentSlice:
        """Where :meth:`read` finds its bytes."""
        position = offset - self.base_offset
        return SegmentSlice(self.file.path, position, max(0, min(max_bytes, self._flushed_bytes - position)))

    def flush(self) -> None:
        """Put all bytes on disk, then show them to readers."""
        self.file.sync()
        self._flushed_bytes = self.file.size_bytes
        if self._modified_us != NEVER_US:
            self.stamp(self._modified_us)

    def truncate(self, size_bytes: int) -> None:
        """Cut the segment to its first ``size_bytes`` and put that on disk."""
        self.file.truncate(size_bytes)
        self.flush()

    def lose_unflushed(self) -> int:
        """Do to the file what a power cut does to it; return how many bytes that took."""
        lost_bytes = self.file.size_bytes - self._flushed_bytes
        self.file.truncate(self._flushed_bytes)
        self._modified_us = self._flushed_modified_us
        return lost_bytes

    def seal(self) -> None:
        """Append no more."""
        self.file.seal()
        if self._modified_us != NEVER_US:  # only now: Windows dates a file when the handle that wrote to it is closed
            self.stamp(self._modified_us)

    def remove(self) -> None:
        """Take the file away; the segment is not used afterwards."""
        self.file.remove()
