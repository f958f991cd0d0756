"""The journal: events in, lines of JSON out, at offsets that a reader can keep."""

import json
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidMessage, OffsetInsideMessage, OffsetOutOfRange, StorageFailed
from engine.events.base import Event
from engine.events.cluster import BrokerAdded, Checkpoint, TopicAdded
from engine.journal import journal as journal_module
from engine.journal.journal import Journal, JournalChunk
from engine.message.message_set import encode_message_set
from tests.support.disks import FaultyDisk

EVERYTHING = 1 << 30
SMALL_SEGMENT_BYTES = 200


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path)


def broker(number: int) -> BrokerAdded:
    return BrokerAdded(at_us=number * 10, broker=number)


def checkpoint(at_us: int, *, filler_bytes: int = 0) -> Checkpoint:
    return Checkpoint(at_us=at_us, cause="start", state={"filler": "x" * filler_bytes})


def numbers(chunk: JournalChunk) -> list[int]:
    return [json.loads(payload)["broker"] for payload in chunk.payloads]


def is_start(journal: Journal, offset: int) -> bool:
    """Return whether the journal accepts ``offset`` as the start of an event."""
    try:
        journal.read(offset, 0)
    except OffsetInsideMessage:
        return False
    return True


# --- appending and publishing ---------------------------------------------------------------------------------------


def test_an_event_is_stored_as_one_plain_message_with_its_json(journal: Journal, tmp_path: Path) -> None:
    event = TopicAdded(0, "größe", (1, 2))
    journal.append(event)
    journal.publish()
    assert (tmp_path / "00000000000000000000.kafka").read_bytes() == encode_message_set([event.encode()])
    assert journal.read(0, EVERYTHING).payloads == (event.encode(),)


def test_events_are_readable_once_they_are_published(journal: Journal) -> None:
    offsets = [journal.append(broker(number)) for number in range(3)]
    size = 9 + len(broker(0).encode())
    assert offsets[:2] == [0, size]
    assert (journal.end_offset, journal.next_offset) == (0, journal.next_offset)
    assert journal.read(0, EVERYTHING) == JournalChunk(0, 0, ())
    assert journal.publish() == journal.next_offset == journal.end_offset
    assert numbers(journal.read(0, EVERYTHING)) == [0, 1, 2]
    assert numbers(journal.read(offsets[1], EVERYTHING)) == [1, 2]


def test_publishing_nothing_changes_nothing(journal: Journal) -> None:
    assert journal.publish() == 0
    journal.append(broker(1))
    end_offset = journal.publish()
    assert journal.publish() == end_offset


def test_many_events_are_written_in_bounded_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "PIECE_BYTES", 100)
    written: list[int] = []
    disk = FaultyDisk()
    append = disk.append

    def counted(handle: int, data: bytes) -> None:
        written.append(len(data))
        append(handle, data)

    monkeypatch.setattr(disk, "append", counted)
    journal = Journal.open(tmp_path, disk=disk)
    for number in range(50):
        journal.append(broker(number))
    assert written == []
    journal.publish()
    size = 9 + len(broker(10).encode())
    assert len(written) > 10
    assert max(written) <= 100 + 4 * size
    assert numbers(journal.read(0, EVERYTHING)) == list(range(50))


def test_publishing_does_not_sync_the_disk(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fdatasync", synced.append)
    journal.append(broker(1))
    assert journal.publish() > 0
    assert synced == []


def test_an_event_that_cannot_be_written_as_json_changes_nothing(journal: Journal) -> None:
    with pytest.raises(TypeError):
        journal.append(Checkpoint(0, "start", {"state": object()}))
    assert journal.next_offset == 0
    assert journal.publish() == 0


def test_events_that_the_disk_refuses_stay_buffered_and_are_published_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "PIECE_BYTES", 100)
    disk = FaultyDisk()
    journal = Journal.open(tmp_path, disk=disk)
    journal.append(broker(0))
    journal.publish()
    offsets = [journal.append(broker(number)) for number in range(1, 20)]
    disk.refuse("append")
    with pytest.raises(StorageFailed):
        journal.publish()
    assert journal.end_offset == offsets[0]
    disk.allow("append")
    offsets.append(journal.append(broker(20)))
    journal.publish()
    assert numbers(journal.read(0, EVERYTHING)) == list(range(21))
    assert [numbers(journal.read(offset, 60))[0] for offset in offsets] == list(range(1, 21))


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_read_returns_whole_events_and_no_more_bytes_than_asked(journal: Journal) -> None:
    offsets = [journal.append(broker(number)) for number in range(4)]
    journal.publish()
    for max_bytes in range(journal.end_offset + 5):
        chunk = journal.read(0, max_bytes)
        whole = [offset for offset in [*offsets, journal.end_offset] if offset <= max_bytes]
        assert (chunk.next_offset, len(chunk.payloads)) == (whole[-1], len(whole) - 1)


def test_an_event_larger_than_the_read_gives_an_empty_chunk(journal: Journal) -> None:
    journal.append(checkpoint(0, filler_bytes=5000))
    journal.append(broker(1))
    end_offset = journal.publish()
    assert journal.read(0, 5000) == JournalChunk(0, 0, ())
    assert len(journal.read(0, 6000).payloads) == 2
    assert journal.read(end_offset, 6000) == JournalChunk(end_offset, end_offset, ())


def test_a_read_continues_in_the_next_segment(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=SMALL_SEGMENT_BYTES)
    for number in range(30):
        journal.append(broker(number))
        journal.publish()
    assert len(list(tmp_path.iterdir())) > 3
    chunk = journal.read(0, EVERYTHING)
    assert numbers(chunk) == list(range(30))
    assert chunk.next_offset == journal.end_offset


def test_event_starts_that_coincide_with_indexed_ones_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 9 + len(broker(10).encode())
    monkeypatch.setattr(journal_module, "INDEX_INTERVAL_BYTES", 2 * size)
    journal = Journal.open(tmp_path)
    starts = [journal.append(broker(number)) for number in range(10, 20)]
    journal.publish()
    assert [offset for offset in range(journal.end_offset) if is_start(journal, offset)] == starts


def test_a_read_ends_before_a_segment_that_begins_with_damage(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=SMALL_SEGMENT_BYTES)
    for number in range(30):
        journal.append(broker(number))
        journal.publish()
    second = sorted(tmp_path.iterdir())[1]
    content = bytearray(second.read_bytes())
    content[12] ^= 1
    second.write_bytes(content)
    chunk = journal.read(0, EVERYTHING)
    assert chunk.next_offset == int(second.stem)
    assert numbers(chunk) == list(range(len(chunk.payloads)))
    with pytest.raises(InvalidMessage):
        journal.read(chunk.next_offset, EVERYTHING)


@pytest.mark.parametrize("beyond", [-1, 1, 10_000])
def test_an_offset_outside_the_journal_is_refused(beyond: int, journal: Journal) -> None:
    journal.append(broker(1))
    end_offset = journal.publish()
    journal.append(broker(2))
    with pytest.raises(OffsetOutOfRange) as caught:
        journal.read(beyond if beyond < 0 else end_offset + beyond, 100)
    assert caught.value.fields["flushed_offset"] == end_offset


def test_an_offset_where_no_event_starts_is_refused_with_a_checkpoint_offset(journal: Journal) -> None:
    journal.append(broker(1))
    start = journal.append(checkpoint(20))
    journal.append(broker(3))
    journal.publish()
    with pytest.raises(OffsetInsideMessage) as caught:
        journal.read(start + 1, 100)
    assert caught.value.fields == {"offset": start + 1, "checkpoint_offset": start}


def test_offsets_far_inside_a_large_event_are_refused_without_reading_it(tmp_path: Path) -> None:
    disk = FaultyDisk()
    journal = Journal.open(tmp_path, disk=disk)
    journal.append(broker(1))
    start = journal.append(checkpoint(0, filler_bytes=1_000_000))
    journal.append(broker(2))
    journal.publish()
    disk.largest_read_bytes = 0
    for offset in (start + 1, start + 4000, start + 5000, start + 999_999):
        assert not is_start(journal, offset)
    assert disk.largest_read_bytes <= journal_module.INDEX_INTERVAL_BYTES


def test_a_damaged_event_is_reported_by_its_offset_and_events_before_it_are_read(
    journal: Journal, tmp_path: Path
) -> None:
    journal.append(broker(1))
    damaged = journal.append(broker(2))
    after = journal.append(broker(3))
    journal.publish()
    path = tmp_path / "00000000000000000000.kafka"
    content = bytearray(path.read_bytes())
    content[damaged + 12] ^= 1
    path.write_bytes(content)
    assert numbers(journal.read(0, EVERYTHING)) == [1]
    for offset in (damaged, after):
        with pytest.raises(InvalidMessage) as caught:
            journal.read(offset, EVERYTHING)
        assert caught.value.fields == {"offset": damaged}


# --- checkpoints ----------------------------------------------------------------------------------------------------


def test_the_newest_checkpoint_counts_once_it_can_be_read(journal: Journal) -> None:
    assert journal.checkpoint_offset == 0
    journal.append(checkpoint(0))
    journal.append(broker(1))
    journal.publish()
    newest = journal.append(checkpoint(20))
    assert journal.checkpoint_offset == 0
    journal.append(broker(3))
    journal.publish()
    assert journal.checkpoint_offset == newest


def test_an_event_that_contains_the_bytes_of_a_checkpoint_is_not_one(journal: Journal) -> None:
    journal.append(checkpoint(0))
    journal.append(TopicAdded(1, '{"event":"checkpoint",', (1,)))
    journal.publish()
    assert journal.checkpoint_offset == 0


# --- opening again --------------------------------------------------------------------------------------------------


def test_a_reopened_journal_is_as_it_was(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=SMALL_SEGMENT_BYTES)
    assert journal.last_event_at_us() == 0
    for number in range(40):
        journal.append(checkpoint(number * 10) if number % 15 == 7 else broker(number))
        if number % 4 == 3:
            journal.publish()
    before = (journal.end_offset, journal.next_offset, journal.checkpoint_offset)
    assert journal.last_event_at_us() == 390
    journal.close()
    again = Journal.open(tmp_path, segment_bytes=SMALL_SEGMENT_BYTES)
    assert before == (again.end_offset, again.next_offset, again.checkpoint_offset)
    assert again.last_event_at_us() == 390
    assert json.loads(again.read(again.checkpoint_offset, EVERYTHING).payloads[0])["at_us"] == 370
    assert again.append(broker(1)) == before[0]


def test_closing_publishes_the_buffered_events(tmp_path: Path) -> None:
    disk = FaultyDisk()
    journal = Journal.open(tmp_path, disk=disk)
    journal.append(broker(1))
    journal.close()
    journal.close()
    assert not disk.handles
    assert numbers(Journal.open(tmp_path).read(0, EVERYTHING)) == [1]


def test_a_crash_loses_unpublished_events_and_a_half_written_one(tmp_path: Path) -> None:
    disk = FaultyDisk()
    journal = Journal.open(tmp_path, disk=disk)
    journal.append(broker(1))
    second = journal.append(broker(2))
    end_offset = journal.publish()
    journal.append(broker(3))
    disk.crash()
    with (tmp_path / "00000000000000000000.kafka").open("r+b") as file:
        file.truncate(end_offset - 1)
    again = Journal.open(tmp_path)
    assert (again.end_offset, again.next_offset, again.last_event_at_us()) == (second, second, 10)
    assert numbers(again.read(0, EVERYTHING)) == [1]


def test_an_event_longer_than_a_piece_is_found_after_reopening(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append(broker(1))
    large = journal.append(checkpoint(20, filler_bytes=3 * journal_module.PIECE_BYTES))
    after = journal.append(broker(3))
    journal.close()
    again = Journal.open(tmp_path)
    assert again.checkpoint_offset == large
    assert [is_start(again, offset) for offset in (0, large, large + 1, after - 1, after)] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_a_journal_damaged_in_an_old_segment_is_not_opened(tmp_path: Path) -> None:
    disk = FaultyDisk()
    journal = Journal.open(tmp_path, segment_bytes=SMALL_SEGMENT_BYTES, disk=disk)
    for number in range(30):
        journal.append(broker(number))
        journal.publish()
    journal.close()
    path = tmp_path / "00000000000000000000.kafka"
    content = bytearray(path.read_bytes())
    content[12] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidMessage) as caught:
        Journal.open(tmp_path, disk=disk)
    assert caught.value.fields == {"offset": 0}
    assert not disk.handles


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=25),
    segment_bytes=st.integers(50, 2000),
    publish_every=st.integers(1, 8),
    index_interval_bytes=st.integers(1, 1000),
    max_bytes=st.integers(1, 2000),
)
def test_every_start_of_an_event_is_accepted_and_no_other_offset(
    sizes: list[int], segment_bytes: int, publish_every: int, index_interval_bytes: int, max_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        patch.setattr(journal_module, "INDEX_INTERVAL_BYTES", index_interval_bytes)
        journal = Journal.open(Path(directory), segment_bytes=segment_bytes)
        events: list[Event] = [TopicAdded(number, "x" * size, ()) for number, size in enumerate(sizes)]
        starts = []
        for number, event in enumerate(events):
            starts.append(journal.append(event))
            if number % publish_every == 0:
                journal.publish()
        end_offset = journal.publish()
        for opened in (journal, Journal.open(Path(directory), segment_bytes=segment_bytes)):
            accepted = [offset for offset in range(end_offset + 1) if is_start(opened, offset)]
            assert accepted == [*starts, end_offset]
            whole = [after - before <= max_bytes for before, after in pairwise([*starts, end_offset])]
            offset, read = 0, 0
            while offset < end_offset:
                chunk = opened.read(offset, max_bytes)
                assert bool(chunk.payloads) == whole[read]
                if not chunk.payloads:
                    chunk = opened.read(offset, EVERYTHING)
                assert list(chunk.payloads) == [event.encode() for event in events[read : read + len(chunk.payloads)]]
                offset, read = chunk.next_offset, read + len(chunk.payloads)
            assert read == len(events)
            opened.close()
