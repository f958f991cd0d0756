"""When and where a message was made is read from its text, never guessed."""

from random import Random

import pytest

from engine.producer.page_views import PageViews
from engine.producer.stamps import UNSTAMPED, Stamp, find_stamp, stamp_text


@pytest.mark.parametrize("at_us", [0, 1_000, -60_000_000, 86_400_000_000 * 400, 123_456_000])
def test_a_stamp_is_read_from_a_text_to_the_millisecond(at_us: int) -> None:
    stamp = Stamp(at_us, "frontend-1")
    assert find_stamp(f"/home user-3 {stamp_text(stamp)} ref=/cart".encode()) == stamp
    assert find_stamp(stamp_text(stamp).encode()) == stamp


def test_a_stamp_is_truncated_to_whole_milliseconds() -> None:
    assert find_stamp(stamp_text(Stamp(1_999, "a")).encode()) == Stamp(1_000, "a")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no stamp",
        b"2011-06-12T09:30:00.000+00:00",
        b"server=frontend-1",
        b"2011-06-12T09:30:00.000+00:00 server=",
        b"2011-06-12T09:30:00.000+00:00 server=a\x00b",
        b"2011-13-12T09:30:00.000+00:00 server=a",
        b"0000-01-01T00:00:00.000+00:00 server=a",
        b"2011-06-12T25:30:00.000+00:00 server=a",
        b"\xff\xfe",
    ],
)
def test_any_other_text_has_no_stamp(text: bytes) -> None:
    assert find_stamp(text) == UNSTAMPED


def test_page_views_of_a_named_server_are_stamped_and_otherwise_the_same() -> None:
    named, nameless = PageViews(Random(1)), PageViews(Random(1))
    named.server = "frontend-1"
    for at_us in (0, 5_000_000):
        view, plain = named.page_view(at_us), nameless.page_view(at_us)
        assert find_stamp(view) == Stamp(at_us, "frontend-1")
        assert view.replace(b" server=frontend-1", b"") == plain
        assert find_stamp(plain) == UNSTAMPED
