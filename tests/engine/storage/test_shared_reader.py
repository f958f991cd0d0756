"""One read and one decode for all who are at the same place."""

from pathlib import Path

import pytest

from engine.errors import InvalidMessage, InvalidMessageSize, OffsetOutOfRange
from engine.storage.limits import LogLimits
from engine.storage.log import Log
from engine.storage.shared_reader import Chunk, SharedReader
from tests.support.disks import FaultyDisk


class CountingDisk(FaultyDisk):
    """Counts reads."""

    reads = 0

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        self.reads += 1
        return super().read(handle, size_bytes, position)


@pytest.fixture
def disk() -> CountingDisk:
    return CountingDisk()


@pytest.fixture
def log(tmp_path: Path, disk: CountingDisk) -> Log:
    log = Log.open(tmp_path, limits=LogLimits(1 << 30, 1, 1000), disk=disk)
    log.append_payloads([b"%04d" % number for number in range(100)])
    disk.reads = 0
    return log


def test_a_chunk_holds_whole_messages_and_where_to_read_on(log: Log) -> None:
    reader = SharedReader(log)
    assert reader.read(26, 30) == Chunk(26, 52, ((39, b"0002"), (52, b"0003")))
    assert reader.read(1300, 100) == Chunk(1300, 1300, ())


def test_a_second_reader_gets_what_the_first_one_decoded(log: Log, disk: CountingDisk) -> None:
    reader = SharedReader(log)
    first = reader.read(0, 1300)
    assert all(reader.read(0, 1300) is first for _ in range(15))
    assert disk.reads == 1


def test_readers_at_the_end_see_what_is_flushed_after_they_looked(log: Log) -> None:
    reader = SharedReader(log)
    assert len(reader.read(1287, 1000).messages) == 1
    assert reader.read(1300, 1000).messages == ()
    log.append_payload(b"new")
    assert [payload for _, payload in reader.read(1287, 1000).messages] == [b"0099", b"new"]
    assert reader.read(1300, 1000).messages == ((1312, b"new"),)


def test_only_the_newest_chunks_are_kept(log: Log, disk: CountingDisk) -> None:
    reader = SharedReader(log, chunks_kept=2)
    for offset in (0, 13, 26, 0):
        reader.read(offset, 13)
    assert disk.reads == 4
    reader.read(26, 13)
    assert disk.reads == 4


def test_every_reader_meets_a_damaged_message_at_its_offset(log: Log, tmp_path: Path) -> None:
    path = tmp_path / log.segments[0].file
    content = bytearray(path.read_bytes())
    content[13 * 50 + 12] ^= 1
    path.write_bytes(content)
    reader = SharedReader(log)
    for _ in range(2):
        assert reader.read(0, 1300).next_offset == 650
        with pytest.raises(InvalidMessage) as caught:
            reader.read(650, 1300)
        assert caught.value.fields["offset"] == 650


def test_a_reader_that_asks_for_too_little_or_outside_is_told_so(log: Log) -> None:
    reader = SharedReader(log)
    with pytest.raises(InvalidMessageSize):
        reader.read(0, 10)
    with pytest.raises(OffsetOutOfRange):
        reader.read(1301, 10)
