"""Whether cost depends on how much is there: appending to, reading from and opening logs of very different sizes."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.compare import Comparison, compare
from benchmarks.measure import Subject, require
from benchmarks.messages import empty, payloads
from benchmarks.stores.engine import wall_us
from engine.message.message_set import iterate_deep
from engine.storage.disk import OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig

SEGMENT_BYTES = 64 << 20
BATCH = payloads(50)
BATCH_BYTES = 50 * 209
APPENDS = 400
READS = 400
READ_BYTES = 64 * 1024
OPENS = 20
SMALLEST_BYTES = 1 << 20


def sizes(*, big: bool) -> dict[str, int]:
    """What the logs hold: 1 MB to 2 GB, and 10 GB if asked for."""
    found = {"1 MB": SMALLEST_BYTES, "16 MB": 16 << 20, "256 MB": 256 << 20, "2 GB": 2 << 30}
    return found | ({"10 GB": 10 << 30} if big else {})


def scale_contests(folder: Path, rounds: int, *, big: bool) -> list[Comparison]:
    """Appends and reads at every size, then opens by size and by number of segments; interleaved each."""
    logs = {name: _filled(folder / name, size) for name, size in sizes(big=big).items()}
    for log in logs.values():
        log.flush()
    os.sync()  # else the system writes gigabytes while others are measured
    appends = [_appends(name, log) for name, log in logs.items()]
    fetches = [_reads(name, log, _fetch) for name, log in logs.items()]
    reads = [_reads(name, log, _read_only) for name, log in logs.items()]
    found = [
        compare("append to a log of this size, batches of 50", "messages", appends, rounds),
        compare("fetch 64 KiB somewhere in a log of this size and decode it", "fetches", fetches, rounds),
        compare("the same without decoding", "reads", reads, rounds),
    ]
    segments = {name: len(log.segments) for name, log in logs.items()}
    for log in logs.values():
        log.close()
    by_size = [
        _opens(f"{name}, {count} segment" + "s" * (count > 1), folder / name, SEGMENT_BYTES, count)
        for name, count in segments.items()
    ]
    found.append(compare("open a log of this size, closed cleanly", "opens", by_size, rounds))
    by_count = list(_many_segments(folder / "segments"))
    found.append(compare("open a log of this many small segments", "opens", by_count, rounds))
    return found


def _open(directory: Path, segment_bytes: int) -> Log:
    limits = LogConfig(segment_bytes, NEVER_BY_COUNT, 1_000_000)
    return Log.open(directory, limits=limits, disk=OsDisk(sync=False), closed_cleanly=True, now_us=wall_us)


def _filled(directory: Path, size_bytes: int) -> Log:
    log = _open(empty(directory), SEGMENT_BYTES)
    while log.next_offset < size_bytes:
        log.append_payloads(BATCH)
    return log


def _appends(name: str, log: Log) -> Subject:
    def prepare() -> Callable[[], None]:
        before = log.next_offset

        def work() -> None:
            for _ in range(APPENDS):
                log.append_payloads(BATCH)

        ends.append(before + APPENDS * BATCH_BYTES)
        return work

    def verify() -> None:
        require(log.next_offset == ends[-1], f"{name} grew by something else")

    ends: list[int] = []
    return Subject(name, APPENDS * len(BATCH), prepare, verify)


def _reads(name: str, log: Log, read: Callable[[Log, int], int]) -> Subject:
    chance = random.Random(2011)
    seen = [0]

    def prepare() -> Callable[[], None]:
        places = [chance.randrange(log.flushed_offset - READ_BYTES) // BATCH_BYTES * BATCH_BYTES for _ in range(READS)]
        for place in places:  # a log larger than the memory has them on the disk: that is not what is measured
            log.read(place, READ_BYTES)

        def work() -> None:
            seen[0] = sum(read(log, place) for place in places)

        return work

    def verify() -> None:
        require(READS * READ_BYTES * 0.9 < seen[0] <= READS * READ_BYTES, f"{name} gave back too little")

    return Subject(name, READS, prepare, verify)


def _read_only(log: Log, place: int) -> int:
    return len(log.read(place, READ_BYTES))


def _fetch(log: Log, place: int) -> int:
    """What a consumer does: the messages, every CRC checked."""
    return list(iterate_deep(log.read(place, READ_BYTES), place))[-1][1] - place


def _opens(name: str, directory: Path, segment_bytes: int, segments: int) -> Subject:
    counts = [0]

    def prepare() -> Callable[[], None]:
        def work() -> None:
            for _ in range(OPENS):
                log = _open(directory, segment_bytes)
                counts[0] = len(log.segments)
                log.close()

        return work

    def verify() -> None:
        require(counts[0] == segments, f"{name} has {counts[0]} segments")

    return Subject(name, OPENS, prepare, verify)


def _many_segments(folder: Path) -> Iterator[Subject]:
    for count in (1, 10, 100, 1000):
        directory = folder / str(count)
        log = _open(empty(directory), BATCH_BYTES - 1)
        for _ in range(count):
            log.append_payloads(BATCH)
        log.close()
        yield _opens(f"{count} segment" + "s" * (count > 1), directory, BATCH_BYTES - 1, count)
