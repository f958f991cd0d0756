"""What is kept of a segment after a crash, and what is cut off its end."""

from pathlib import Path

import pytest

from engine.message.format import encode_magic_1
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.storage import recovery
from engine.storage.recovery import Recovery, recover
from engine.storage.segment import Segment, segment_name
from tests.support.disks import FaultyDisk

THREE = encode_message_set([b"aa", b"bb", b"cc"])


def recovered(directory: Path, content: bytes, disk: FaultyDisk, *, base_offset: int = 0) -> tuple[Recovery, bytes]:
    """Recover a segment with ``content``; return the report, and what is left in the file."""
    path = directory / segment_name(base_offset)
    path.write_bytes(content)
    found = recover(Segment(directory, base_offset, disk, sealed=False))
    return found, path.read_bytes()


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(recovery, "CHUNK_BYTES", 64)
    return 64


@pytest.mark.parametrize("zeros", [0, 2, 4, 5, 6])
def test_zeros_at_the_end_are_cut_and_every_message_is_kept(zeros: int, tmp_path: Path, disk: FaultyDisk) -> None:
    # case 25
    found, left = recovered(tmp_path, THREE + bytes(zeros), disk)
    assert found.bytes_cut == zeros
    assert left == THREE


def test_messages_after_a_damaged_one_are_cut_too(tmp_path: Path, disk: FaultyDisk) -> None:
    # case 26
    content = bytearray(THREE)
    content[11 + 9] ^= 0x40
    found, left = recovered(tmp_path, bytes(content), disk)
    assert found == Recovery(22, "the message at offset 11 is damaged: the payload does not match its CRC")
    assert left == encode_message_set([b"aa"])


def test_the_reason_names_the_offset_in_the_log(tmp_path: Path, disk: FaultyDisk) -> None:
    found, _ = recovered(tmp_path, THREE + b"\0\0\0", disk, base_offset=1000)
    assert found == Recovery(3, "no whole message at offset 1033: it needs 4 bytes and 3 are left")


@pytest.mark.parametrize("cut", range(len(THREE) + 1))
def test_a_file_cut_anywhere_keeps_its_whole_messages(cut: int, tmp_path: Path, disk: FaultyDisk) -> None:
    found, left = recovered(tmp_path, THREE[:cut], disk)
    assert left == THREE[: cut // 11 * 11]
    assert found.bytes_cut == cut % 11
    assert bool(found.reason) == bool(cut % 11)


def test_an_unknown_magic_is_cut_off(tmp_path: Path, disk: FaultyDisk) -> None:
    found, left = recovered(tmp_path, THREE + bytes.fromhex("0000000502") + bytes(4) + THREE, disk)
    assert found == Recovery(42, "the message at offset 33 is damaged: unknown magic 2")
    assert left == THREE


def test_recovered_messages_are_flushed_before_they_are_readable(tmp_path: Path, disk: FaultyDisk) -> None:
    recovered(tmp_path, THREE, disk)
    recovered(tmp_path, THREE + b"\0", disk)
    assert disk.syncs == 2


def test_an_empty_file_needs_no_recovery(tmp_path: Path, disk: FaultyDisk) -> None:
    assert recovered(tmp_path, b"", disk) == (Recovery(0, ""), b"")


def test_a_long_file_is_checked_in_chunks(tmp_path: Path, disk: FaultyDisk, small_chunks: int) -> None:
    content = encode_message_set([b"x" * size for size in range(50)]) + encode_compressed_set([b"a", b"b"])
    assert recovered(tmp_path, content, disk) == (Recovery(0, ""), content)
    found, left = recovered(tmp_path, content + THREE[:10], disk)
    assert (found.bytes_cut, left) == (10, content)
    assert disk.largest_read_bytes <= small_chunks


@pytest.mark.parametrize("magic", [0, 1])
def test_a_message_longer_than_a_chunk_is_checked_piece_by_piece(
    magic: int, tmp_path: Path, disk: FaultyDisk, small_chunks: int
) -> None:
    varied = bytes(range(256)) * 2
    large = encode_message_set([varied])
    if magic == 1:
        large = (len(varied) + 6).to_bytes(4, "big") + b"\x01\x00" + large[5:]
    content = THREE + large + THREE
    assert recovered(tmp_path, content, disk) == (Recovery(0, ""), content)
    damaged = bytearray(content)
    damaged[33 + len(large) - 1] ^= 1
    found, left = recovered(tmp_path, bytes(damaged), disk)
    assert found == Recovery(len(large) + 33, "the message at offset 33 is damaged: the payload does not match its CRC")
    assert left == THREE
    assert disk.largest_read_bytes <= small_chunks


@pytest.mark.usefixtures("small_chunks")
def test_a_length_beyond_the_end_of_the_file_is_cut_off(tmp_path: Path, disk: FaultyDisk) -> None:
    found, left = recovered(tmp_path, THREE + encode_message_set([b"x" * 500])[:-1], disk)
    assert found == Recovery(508, "no whole message at offset 33: it needs 509 bytes and 508 are left")
    assert left == THREE


@pytest.mark.usefixtures("small_chunks")
def test_a_long_message_of_unknown_magic_is_cut_off(tmp_path: Path, disk: FaultyDisk) -> None:
    large = bytearray(encode_message_set([b"x" * 500]))
    large[4] = 9
    found, left = recovered(tmp_path, THREE + bytes(large), disk)
    assert found == Recovery(509, "the message at offset 33 is damaged: unknown magic 9")
    assert left == THREE


# --- the last byte of a file, and the edges of chunks ---------------------------------------------------------------

CHUNK_EDGES = [size + difference for size in (64, 128, 192) for difference in range(-2, 12)]  # entries and payloads


@pytest.mark.parametrize("entry_bytes", CHUNK_EDGES)
@pytest.mark.parametrize("before", [b"", THREE], ids=["first", "behind others"])
@pytest.mark.usefixtures("small_chunks")
def test_a_last_message_of_any_size_that_ends_with_the_file_is_kept(
    entry_bytes: int, before: bytes, tmp_path: Path, disk: FaultyDisk
) -> None:
    content = before + encode_message_set([bytes(range(entry_bytes - 9))])
    assert recovered(tmp_path, content, disk) == (Recovery(0, ""), content)
    found, left = recovered(tmp_path, content[:-1], disk)
    assert (found.bytes_cut, left) == (entry_bytes - 1, before)


@pytest.mark.parametrize("more", [-1, 0, 1, 1_000, 262_144])
def test_a_last_message_longer_than_a_real_chunk_is_kept(more: int, tmp_path: Path, disk: FaultyDisk) -> None:
    content = encode_message_set([bytes(recovery.CHUNK_BYTES - 9 + more)])
    assert recovered(tmp_path, content, disk) == (Recovery(0, ""), content)
    damaged = content[:-1] + b"?"
    assert recovered(tmp_path, damaged, disk)[1] == b""


@pytest.mark.parametrize("entry_bytes", CHUNK_EDGES)
@pytest.mark.usefixtures("small_chunks")
def test_damage_in_the_last_byte_is_found_at_any_size(entry_bytes: int, tmp_path: Path, disk: FaultyDisk) -> None:
    content = THREE + encode_message_set([bytes(range(entry_bytes - 9))])
    found, left = recovered(tmp_path, content[:-1] + bytes([content[-1] ^ 1]), disk)
    assert (found.bytes_cut, left) == (entry_bytes, THREE)


@pytest.mark.parametrize("attributes", [0, 1, 2, 3, 0xFF])
def test_a_compressed_set_is_kept_whatever_its_codec_and_whatever_is_in_it(
    attributes: int, tmp_path: Path, disk: FaultyDisk
) -> None:
    # 0.7: Message.isValid looks at the CRC of the payload alone
    content = THREE + encode_magic_1(b"packed", attributes) + THREE
    assert recovered(tmp_path, content, disk) == (Recovery(0, ""), content)


def test_a_second_recovery_finds_what_came_since_the_first(tmp_path: Path, disk: FaultyDisk) -> None:
    _, left = recovered(tmp_path, THREE + THREE[:5], disk)
    found, left = recovered(tmp_path, left + THREE + THREE[:7], disk)
    assert (found.bytes_cut, left) == (7, THREE * 2)
    assert recovered(tmp_path, left, disk) == (Recovery(0, ""), THREE * 2)
