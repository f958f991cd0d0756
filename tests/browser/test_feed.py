"""The reader of the journal in the browser, against a feed whose frames overlap, have gaps or are refusals."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.pages.stage import Stage


class Feed:
    """A feed between the page and the room: it forwards the checkpoint, then sends the frames of the test."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pulls: list[Any] = []
        self.checkpoint: Any = {}
        page.route_web_socket(re.compile("/feed$"), self._open)

    def _open(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        self.room = socket.connect_to_server()
        socket.on_message(self._asked)
        self.room.on_message(self._answered)

    def _asked(self, message: str | bytes) -> None:
        pull = json.loads(message)
        if pull["pull"] == "checkpoint":
            self.room.send(message)
        else:
            self.pulls.append(pull)

    def _answered(self, message: str | bytes) -> None:
        frame = json.loads(message)
        if not self.checkpoint and frame.get("events"):
            self.checkpoint = {**frame, "events": frame["events"][:1], "next": frame["next"], "end": frame["next"]}
            self.send(self.checkpoint)
        elif self.checkpoint:  # a heartbeat: a page that receives nothing would pull again
            self.send(self.frame(0, 0))

    @property
    def next_offset(self) -> int:
        """The journal offset of the page after the checkpoint."""
        return int(self.checkpoint["next"])

    def send(self, frame: dict[str, Any]) -> None:
        self.socket.send(json.dumps(frame))

    def frame(self, offset: int, next_offset: int, *events: dict[str, Any], end: int = 0) -> dict[str, Any]:
        clock = self.checkpoint["clock"]
        return {
            "offset": offset,
            "next": next_offset,
            "end": end or next_offset,
            "events": list(events),
            "clock": clock,
        }

    def append(self, messages: int) -> dict[str, Any]:
        """An event that counts: applied twice, it is counted twice."""
        at_us, size = self.checkpoint["events"][0]["at_us"], 10 * messages
        place = {"topic": "pageviews", "partition": 0, "broker": 1, "offset": 860, "next_offset": 860 + size}
        return {
            "event": "batch_appended", "at_us": at_us, "batch": 999, "messages": messages,
            "sizes": [size], "previews": ["said by a test"], **place,
        }  # fmt: skip

    def pulled(self) -> Any:
        """Return the next pull of the page, as soon as it has arrived."""
        self.page.wait_for_function("() => true")
        for _ in range(2_000):
            if self.pulls:
                return self.pulls.pop(0)
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        raise AssertionError("the page did not pull again")


@pytest.fixture
def feed(stage: Stage) -> Feed:
    between = Feed(stage.page)
    stage.open()
    return between


def test_frames_of_an_earlier_pull_are_not_applied_twice(stage: Stage, feed: Feed) -> None:
    start = feed.next_offset
    first = feed.frame(start, start + 200_000, feed.append(1))
    feed.send(first)
    expect(stage.fact("events-appended")).to_have_text("13")
    assert feed.pulled()["pull"] == start + 200_000  # more than half the credit is used up
    feed.send(first)
    feed.send(feed.frame(start + 200_000, start + 200_100, feed.append(4)))
    expect(stage.fact("events-appended")).to_have_text("17")
    assert feed.pulls == []


def test_a_gap_between_frames_causes_a_new_pull_from_the_last_offset(stage: Stage, feed: Feed) -> None:
    start = feed.next_offset
    feed.send(feed.frame(start + 50, start + 150, feed.append(1)))
    assert feed.pulled()["pull"] == start
    feed.send(feed.frame(start, start + 150, feed.append(2)))
    expect(stage.fact("events-appended")).to_have_text("14")


def test_an_empty_frame_before_the_end_causes_a_new_pull(stage: Stage, feed: Feed) -> None:
    start = feed.next_offset
    feed.send(feed.frame(start, start, end=start + 1_000))
    assert feed.pulled()["pull"] == start
    feed.send(feed.frame(start, start))  # a heartbeat at the end causes no pull
    feed.send(feed.frame(start, start + 100, feed.append(1)))
    expect(stage.fact("events-appended")).to_have_text("13")
    assert feed.pulls == []


def test_the_page_raises_a_credit_that_is_too_small(stage: Stage, feed: Feed) -> None:
    start = feed.next_offset
    error = {"code": "credit_too_small", "message": "too small", "remedy": "pull more", "needed_bytes": 400_000}
    feed.send({"error": error})
    pull = feed.pulled()
    assert pull["pull"] == start
    assert pull["max_bytes"] >= 400_000
    feed.send(feed.frame(start, start + 100, feed.append(1)))
    expect(stage.fact("events-appended")).to_have_text("13")


def test_deleted_segments_are_drawn_as_a_stub_with_the_first_available_offset(stage: Stage, feed: Feed) -> None:
    start = feed.next_offset
    at_us = feed.checkpoint["events"][0]["at_us"]
    rolled = {"event": "segment_rolled", "at_us": at_us, "topic": "pageviews", "partition": 0, "base_offset": 430}
    expect(stage.partition(0).locator(".stub")).to_be_hidden()
    deleted = {**rolled, "event": "segment_deleted", "base_offset": 0, "first_offset": 430}
    feed.send(feed.frame(start, start + 100, rolled, deleted))
    expect(stage.partition(0).locator(".stub")).to_be_visible()
    expect(stage.partition(0).locator(".deleted")).to_have_text("older segments are deleted; from 430")
    assert stage.offsets(0) == [430, 645]
    expect(stage.narration).to_have_text(
        "The oldest segment of p0 is deleted: the first offset that still exists is 430."
    )


def test_the_page_of_a_full_room_says_so(stage: Stage, feed: Feed) -> None:
    stopped = feed.frame(feed.next_offset, feed.next_offset)
    feed.send({**stopped, "clock": {**stopped["clock"], "paused": True, "standing": False, "full": True}})
    place = stage.page.locator('[data-part="connection"]')
    expect(place).to_contain_text("this room has reached its size limit")
    feed.send(stopped)
    expect(place).to_be_empty()
