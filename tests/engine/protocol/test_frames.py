"""Cutting a stream into frames: in any portions, without memory for announced bytes, without bad lengths."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.faults import FrameSizeRefused
from engine.protocol.frames import FrameBuffer

frame_lists = st.lists(st.binary(min_size=1, max_size=20), max_size=8)


def framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame


@given(frame_lists, st.lists(st.integers(1, 30)), st.booleans())
def test_the_frames_are_the_same_in_whatever_portions_they_arrive(
    frames: list[bytes], portions: list[int], at_once: bool
) -> None:
    stream = b"".join([framed(frame) for frame in frames])
    buffer = FrameBuffer(20)
    taken = []
    fed = 0
    for portion in [*portions, len(stream)]:
        buffer.feed(memoryview(stream)[fed : fed + portion])
        fed = min(fed + portion, len(stream))
        while not at_once and buffer.has_frame:
            taken.append(buffer.take())
        assert buffer.buffered_bytes == fed - sum(4 + len(frame) for frame in taken)
    while frame := buffer.take():
        taken.append(frame)
    assert taken == frames
    assert buffer.buffered_bytes == 0


def test_there_is_no_frame_before_its_last_byte() -> None:
    buffer = FrameBuffer(100)
    for byte in framed(b"x" * 10)[:-1]:
        buffer.feed(bytes([byte]))
        assert not buffer.has_frame
        assert buffer.take() == b""
    assert buffer.buffered_bytes == 13
    buffer.feed(b"x")
    assert buffer.has_frame
    assert buffer.take() == b"x" * 10


@pytest.mark.parametrize("size", [0, -1, -(2**31), 104_857_601, 2**31 - 1])
def test_a_length_that_is_not_positive_or_too_large_is_refused(size: int) -> None:
    buffer = FrameBuffer(104_857_600)
    buffer.feed(size.to_bytes(4, "big", signed=True))
    with pytest.raises(FrameSizeRefused):
        _ = buffer.has_frame
    with pytest.raises(FrameSizeRefused) as caught:
        buffer.take()
    assert caught.value.fields == {"bytes": size}


def test_announcing_the_largest_frame_takes_no_memory() -> None:
    buffer = FrameBuffer(104_857_600)
    tracemalloc.start()
    try:
        buffer.feed((104_857_600).to_bytes(4, "big"))
        assert buffer.take() == b""
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_a_frame_that_arrives_byte_by_byte_takes_little_more_memory_than_its_bytes() -> None:
    buffer = FrameBuffer(104_857_600)
    stream = framed(bytes(100_000))
    tracemalloc.start()
    try:
        for position in range(100_000):
            buffer.feed(stream[position : position + 1])
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()
