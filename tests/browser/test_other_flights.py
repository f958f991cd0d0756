"""Marks beside the tapes: commits and watches in the gaps between brokers, pulls of simple consumers and their logs."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ServerProcess
from tests.browser.test_levels import Module

MARKS = """((v) => {
    const tape = (top) => ({left: 300, top, width: 500, height: 50, edge: 235, right: 816, below: top + 136});
    const commit = (partition) => ({
        event: "commit_sent", group: "G", consumer: "A", topic: "t", partition, offset: 430, at_us: 0, due_us: 1000,
    });
    const watch = (client) => ({
        event: "watch_fired", client: `consumer:G/${client}`, path: "/consumers/G/ids", at_us: 0, due_us: 1000,
    });
    const card = (top) => ({left: v.cards, top, width: 290, height: 90});
    const picture = {
        state: {topics: {t: {}}, partitions: {}, flights: {
            "commit:1": commit(0), "commit:2": commit(1), "watch:1": watch("A"), "watch:2": watch("B"),
        }},
        ribbons: [], losses: [], steps: false, level: "messages", window_bytes: 1000, origins: new Map(),
        anchors: {
            registry: v.registry, letter: 6, tapes: new Map([["t-0", tape(113)], ["t-1", tape(308)]]),
            consumers: new Map([["G/A", card(145)], ["G/B", card(240)]]),
        },
    };
    return v.times.map((now_us) => m.marks({...picture, now_us}));
})(v)"""


def marks(page: Page, server: ServerProcess, *times: int, **places: Any) -> dict[str, list[Any]]:
    """Return the marks of two commits and two watches at thousandths of their ways, by the flight."""
    where = {"registry": {"x": 214, "y": 430}, "cards": 971} | places
    found = Module(page, server, "scene/flights").call(MARKS, times=times, **where)
    return {mark["key"]: [at[index] for at in found] for index, mark in enumerate(found[0])}


def test_a_commit_passes_below_the_broker_of_its_partition_and_covers_no_tape(
    page: Page, server: ServerProcess
) -> None:
    flown = marks(page, server, *range(0, 1001, 10))
    for key, below in (("commit:1", 113 + 136), ("commit:2", 308 + 136)):
        assert flown[key][0]["x"] == 971
        over = [mark for mark in flown[key] if 235 < mark["x"] < 816]
        assert over
        assert all(mark["y"] == pytest.approx(below, abs=0.5) for mark in over)
        assert (flown[key][-1]["x"], flown[key][-1]["y"]) == (214, 430)


def test_the_label_of_a_commit_is_shown_beside_it_and_only_in_the_gap(page: Page, server: ServerProcess) -> None:
    (way, _, _, _) = marks(page, server, *range(0, 1001, 10)).values()
    said = [mark for mark in way if mark["label"]]
    assert {mark["label"] for mark in said} == {"p0: commit 430"}
    assert all(mark["y"] == pytest.approx(249, abs=1) for mark in said)
    half = (len("p0: commit 430") + 1) * 6 / 2
    for mark in said:
        assert abs(mark["shift"]) > half, "beside the mark, not on it"
        assert mark["x"] + mark["shift"] + half <= 816, "not into the gap before the cards"


def test_watches_that_fire_together_take_different_gaps_to_their_consumers(page: Page, server: ServerProcess) -> None:
    flown = marks(page, server, 0, 500, 1000)
    assert [round(flown[key][1]["y"]) for key in ("watch:1", "watch:2")] == [113 + 136, 308 + 136]
    assert flown["watch:1"][1]["label"] == "watch: ids changed"
    assert [flown[key][2]["y"] for key in ("watch:1", "watch:2")] == [190, 285]


def test_flights_to_cards_below_the_brokers_move_in_a_straight_line(page: Page, server: ServerProcess) -> None:
    flown = marks(page, server, 0, 500, 1000, cards=12, registry={"x": 200, "y": 900})
    middle = flown["commit:1"][1]
    assert (middle["x"], middle["y"]) == (106, pytest.approx((190 + 900) / 2))
    assert middle["label"] == "p0: commit 430"


def test_a_fetch_of_a_simple_consumer_names_topics_only_if_there_are_several(page: Page, server: ServerProcess) -> None:
    def said(topics: list[str], fetches: list[list[Any]]) -> tuple[str, str]:
        (mark,) = Module(page, server, "scene/flights").call(
            """m.marks({
                state: {topics: Object.fromEntries(v.topics.map((topic) => [topic, {}])), partitions: {}, flights: {
                    "multi_fetch:1": {broker: 11, client: "loader:L", fetches: v.fetches, at_us: 0, due_us: 10},
                }},
                now_us: 5, ribbons: [], losses: [], steps: false, level: "messages",
                anchors: {parties: new Map(["broker:11", "loader:L"].map((name, at) =>
                    [name, {left: at * 100, top: 0, width: 50, height: 50}]))},
            })""",
            topics=topics,
            fetches=fetches,
        )
        return mark["label"], mark["detail"]

    assert said(["t"], [["t-0", 430]]) == ("from 430", "p0")
    assert said(["t"], [["t-0", 430], ["t-2", 0]]) == ("2 logs", "p0 from 430, p2 from 0")
    assert said(["live.t", "live.audit"], [["live.t-0", 4], ["live.audit-0", 9]]) == (
        "2 logs",
        "live.t p0 from 4, live.audit p0 from 9",
    )
