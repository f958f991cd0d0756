"""The paths of batches: from the producer, beside the text, and onto the tape; pure functions of time."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ServerProcess
from tests.browser.test_levels import Module

PRODUCER = {"x": 200, "y": 80, "left": 20, "below": 240}
ABOVE = {"x": 380, "y": 30, "left": 12, "below": 80}
MARKS = """((v) => {
    const log = {next_offset: v.next_offset, topic: "t", partition: 1, broker: 2};
    const flight = {
        event: "batch_sent", topic: "t", partition: 1, broker: 2, batch: 1, messages: 3, bytes: v.bytes, key: v.key,
        compression: "none", at_us: 0, due_us: 1000,
    };
    const tape = (top) => ({
        left: v.edge + 50, top, width: 300, height: 40, lift: 24, edge: v.edge,
        name: {from: v.edge + 10, to: v.edge + 40},
    });
    const state = {topics: {t: {}}, partitions: {"t-0": log, "t-1": log}, flights: {"batch:1": flight}};
    const picture = {
        state, ribbons: [], losses: [], steps: v.steps, level: "messages",
        window_bytes: 1000, origins: new Map([["t-1", 0]]),
        anchors: {
            producer: v.producer, letter: 6,
            tapes: new Map([["t-0", tape(v.top + v.other)], ["t-1", tape(v.top)]]),
        },
    };
    return v.times.map((now_us) => m.marks({...picture, now_us})[0]);
})(v)"""


def marks(page: Page, server: ServerProcess, *times: int, **values: Any) -> list[Any]:
    """Return the mark of a batch at thousandths of its way to one of two tapes of 300 px and 1,000 bytes."""
    where = {
        "producer": PRODUCER,
        "edge": 230,
        "top": 300,
        "other": -200,
        "bytes": 300,
        "next_offset": 0,
        "key": "",
        "steps": False,
    }
    found: list[Any] = Module(page, server, "scene/flights").call(MARKS, times=times, **(where | values))
    return found


@pytest.mark.parametrize(("next_offset", "middle"), [(400, 280 + 0.55 * 300), (840, 280 + 300 - 0.15 * 300)])
def test_a_batch_lands_on_its_bytes_within_the_end_of_the_tape(
    page: Page, server: ServerProcess, next_offset: int, middle: float
) -> None:
    (landed,) = marks(page, server, 1000, next_offset=next_offset)
    assert (landed["x"], landed["width"]) == (pytest.approx(middle), pytest.approx(90))


def test_a_batch_and_its_label_stay_within_the_tape(page: Page, server: ServerProcess) -> None:
    for mark in marks(page, server, *range(0, 1001, 20), next_offset=990, bytes=400):
        assert mark["x"] + mark["width"] / 2 <= 280 + 300 + 0.01
        assert mark["detail"] == "" or mark["x"] + mark["shift"] + mark["before"] - len(mark["detail"]) * 6 >= 280


def test_the_label_follows_its_batch_and_disappears_before_it_lands(page: Page, server: ServerProcess) -> None:
    way = marks(page, server, *range(0, 1001, 5), next_offset=600)
    said = [mark for mark in way if mark["detail"]]
    assert said
    assert {mark["detail"] for mark in said} == {"3 messages to p1"}
    assert all(mark["y"] == pytest.approx(300 - 24, abs=1) for mark in said)
    assert all(mark["shift"] == pytest.approx(-mark["width"] / 2) for mark in said), (
        "the label ends where the batch begins"
    )
    assert way[-1]["label"] == way[-1]["detail"] == ""


def test_a_label_without_room_for_the_key_leaves_it_out(page: Page, server: ServerProcess) -> None:
    way = marks(page, server, *range(0, 1001, 5), next_offset=900, bytes=100, key="user-17")
    assert next(mark["detail"] for mark in way if mark["detail"]) == "3 messages to p1"
    assert "3 messages to p1, key user-17" in {mark["detail"] for mark in way}


def test_with_reduced_motion_the_label_is_ahead_of_its_batch_if_there_is_no_room_behind(
    page: Page, server: ServerProcess
) -> None:
    (mark,) = marks(page, server, 500, steps=True, top=150, next_offset=400)
    assert mark["detail"] == "3 messages to p1"
    assert mark["shift"] > mark["width"] / 2


def test_without_a_producer_in_the_picture_a_batch_starts_at_the_edge_of_the_card(
    page: Page, server: ServerProcess
) -> None:
    """On paper, and in a narrow embed without controls."""
    hidden = {"x": -20, "y": -70, "left": -20, "below": -70}
    found = marks(page, server, *range(0, 1001, 20), producer=hidden)
    assert found[0]["x"] == pytest.approx(230)
    assert all(mark["x"] >= 230 and 300 - 24 - 0.01 <= mark["y"] <= 320.01 for mark in found)


def test_the_label_of_a_batch_stays_on_the_tape_with_a_long_key(page: Page, server: ServerProcess) -> None:
    way = marks(page, server, *range(0, 1001, 20), next_offset=600, key="Z" + "\u0351" * 199)
    assert {mark["detail"] for mark in way} == {"", "3 messages to p1"}


def test_a_batch_leaves_the_side_of_its_producer_and_moves_down_beside_the_brokers(
    page: Page, server: ServerProcess
) -> None:
    way = marks(page, server, *range(0, 1001, 5))
    assert way[0]["x"] + way[0]["width"] / 2 == pytest.approx(PRODUCER["x"]), "it starts behind the producer"
    assert PRODUCER["below"] - 20 < way[0]["y"] + 8 < PRODUCER["below"], "and at the end nearest to its tape"
    above = [mark for mark in way if mark["y"] < 300 - 24 - 1]
    assert above
    assert all(mark["x"] + mark["width"] / 2 <= 230.01 for mark in above), "it covers nothing of another broker"
    assert all(mark["label"] == mark["detail"] == "" for mark in above)
    assert {mark["label"] for mark in way if mark["x"] < 280} == {""}


def test_a_batch_enters_a_card_at_the_height_at_which_it_follows_the_tape(page: Page, server: ServerProcess) -> None:
    way = marks(page, server, *range(0, 1001, 5))
    inside = [mark["y"] for mark in way if mark["x"] > 240]
    assert min(inside) == pytest.approx(300 - 24)


def test_below_the_producer_a_batch_moves_straight_down_to_the_first_tape_and_along_the_edge_to_others(
    page: Page, server: ServerProcess
) -> None:
    second = marks(page, server, *range(0, 1001, 5), producer=ABOVE, edge=12)
    assert all(mark["x"] - mark["width"] / 2 >= 0 for mark in second), "it never leaves the page"
    on_the_way = [mark for mark in second if 90 < mark["y"] < 300 - 40]
    assert {round(mark["x"]) for mark in on_the_way} == {round(on_the_way[0]["width"] / 2 + 4)}
    assert {mark["label"] for mark in on_the_way} == {""}
    first = marks(page, server, 0, 50, 100, producer=ABOVE, edge=12, other=200)
    assert all(mark["x"] - mark["width"] / 2 >= 12 + 40 for mark in first), "beside the name of its broker"


def test_on_a_phone_shorter_messages_make_the_window_smaller(page: Page, server: ServerProcess) -> None:
    tape = Module(page, server, "scene/tape")
    windows = """v.sizes.map((size) => m.windowBytes({partitions: {"t-0": {
        next_offset: 8 * size, entries: [...Array(8).keys()].map((index) => [index * size, size, 1, ""]),
    }}}, v.page))"""
    assert tape.call(windows, page="phone", sizes=[125, 215, 300, 400, 600]) == [768, 1_024, 1_536, 2_048, 3_072]
    assert tape.call(windows, page="wide", sizes=[125, 215, 300, 400, 600]) == [1_536, 1_536, 1_536, 3_072, 3_072]
