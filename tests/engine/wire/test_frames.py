"""Cutting a stream into frames: any portions, no room for what was only announced, no bad length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire.faults import FrameSizeRefused
from engine.wire.frames import FrameBuffer

frame_lists = st.lists(st.binary(min_size=1, max_size=20), max_size=8)


def framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame


@given(frame_lists, st.lists(st.integers(1, 30)), st.booleans())
def test_the_frames_are_the_same_in_whatever_portions_they_come(
    frames: list[bytes], portions: list[int], at_once: bool
) -> None:
    stream = b"".join([framed(frame) for frame in frames])
    buffer = FrameBuffer(20)
    taken = []
    position = 0
    for portion in [*portions, len(stream)]:
        buffer.feed(stream[position : position + portion])
        position += portion
        while not at_once and buffer.has_frame:
            taken.append(buffer.take())
    while buffer.has_frame:
        taken.append(buffer.take())
    assert taken == frames
    assert buffer.buffered_bytes == 0


def test_a_buffer_says_how_much_is_missing() -> None:
    buffer = FrameBuffer(100)
    assert buffer.missing_bytes == 4
    buffer.feed(b"\0\0\0")
    assert buffer.missing_bytes == 1
    buffer.feed(b"\x0a")
    assert buffer.missing_bytes == 10
    buffer.feed(b"x" * 9)
    assert buffer.missing_bytes == 1
    assert not buffer.has_frame


@pytest.mark.parametrize("size", [0, -1, -(2**31), 104_857_601, 2**31 - 1])
def test_a_length_that_is_not_positive_or_too_large_is_refused(size: int) -> None:
    buffer = FrameBuffer(104_857_600)
    buffer.feed(size.to_bytes(4, "big", signed=True))
    with pytest.raises(FrameSizeRefused) as caught:
        _ = buffer.has_frame
    assert caught.value.fields == {"bytes": size}


def test_the_largest_frame_is_taken() -> None:
    buffer = FrameBuffer(104_857_600)
    buffer.feed((104_857_600).to_bytes(4, "big"))
    assert buffer.missing_bytes == 104_857_600
