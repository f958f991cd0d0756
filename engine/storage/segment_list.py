"""The list of the segments of a log, oldest first (0.7: SegmentList)."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from engine.errors import LogGap
from engine.storage.disk import Disk, storage_failed
from engine.storage.log_config import ClockUs
from engine.storage.segment import Segment, base_offsets, segment_name


class SegmentList:
    """A list of one or more segments, each beginning where the one before it ends; the last one is ``active``.

    A plain list with binary search: finding the segment of an offset takes about as long in a log of any practical
    size.
    """

    def __init__(self, segments: list[Segment]) -> None:
        """Take ``segments``; raise :class:`~engine.errors.LogGap` if two are not contiguous."""
        _require_no_gap(segments)
        self._segments = segments
        self._bases = [segment.base_offset for segment in segments]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments)

    def __len__(self) -> int:
        return len(self._segments)

    @property
    def active(self) -> Segment:
        """The segment that is appended to."""
        return self._segments[-1]

    @property
    def first_offset(self) -> int:
        return self._bases[0]

    def holding(self, offset: int) -> Segment:
        """Return the segment that holds ``offset``, which must not be before the first one."""
        return self._segments[bisect_right(self._bases, offset) - 1]

    def add(self, segment: Segment) -> None:
        """Make ``segment`` the active one and seal the one before it."""
        sealed = self.active
        self._segments.append(segment)
        self._bases.append(segment.base_offset)
        sealed.seal()

    def remove_first(self) -> None:
        """Remove the oldest segment and its file. It must not be the only one."""
        self._segments[0].remove()
        del self._segments[0]
        del self._bases[0]


def open_segments(directory: Path, disk: Disk, now_us: ClockUs) -> SegmentList:
    """Open the segments in ``directory``, or create a first one there; all but the last one are sealed.

    The last one keeps its time itself from now on (:meth:`Segment.keep_time`). Raises
    :class:`~engine.errors.LogGap` if two are not contiguous, :class:`~engine.errors.StorageFailed`.
    """
    try:
        disk.make_directory(directory)
        found = base_offsets(disk.names(directory))
    except OSError as error:
        raise storage_failed(directory, "open", error) from error
    sealed = [Segment(directory, base, disk, sealed=True) for base in found[:-1]]
    active = Segment(directory, found[-1] if found else 0, disk, sealed=False)
    try:
        active.keep_time(active.modified_us if found else now_us())
        return SegmentList([*sealed, active])
    except BaseException:
        active.seal()
        raise


def _require_no_gap(segments: list[Segment]) -> None:
    """Raise :class:`LogGap` where a segment does not begin where the one before it ends (0.7: validateSegments)."""
    for before, after in pairwise(segments):
        if before.next_offset != after.base_offset:
            name = segment_name(before.base_offset)
            raise LogGap(
                f"{name} ends at offset {before.next_offset}, but the next segment begins at {after.base_offset}",
                "restore the file from a copy, or remove it and every older one",
                file=name,
                next_offset=before.next_offset,
                next_base_offset=after.base_offset,
            )
