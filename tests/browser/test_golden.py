"""Reducer and scene as pure functions from golden journals of the engine to places, windows, words and pictures."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.golden.pictures import empty_page, evaluate, events_of, pictures_of
from tests.golden.walks import WALKS, file_of

PRODUCER_EDGE = 200
PRODUCER_BELOW = 120
TAPE_TOPS = (60, 180, 300)
TAPE_HEIGHT = 40
SCENE = "(golden, history, at_us) => golden.sceneAt(history, at_us)"
SCENES = "(golden, history, times) => times.map((at_us) => golden.sceneAt(history, at_us))"


@pytest.fixture
def empty(browser: Browser) -> Iterator[Page]:
    with empty_page(browser) as page:
        yield page


def journal(name: str) -> list[Any]:
    return events_of(file_of(name).read_text())


def only(events: list[Any], kind: str, **fields: object) -> Any:
    """Return the first event of that kind with those fields."""
    return next(one for one in events if one["event"] == kind and fields.items() <= one.items())


def mark(scene: Any, key: str) -> Any:
    return next(one for one in scene["marks"] if one["key"] == key)


@pytest.mark.parametrize("name", WALKS)
def test_the_scenes_of_a_journal_match_the_golden_files(empty: Page, name: str) -> None:
    for file, picture in pictures_of(empty, name, file_of(name).read_text()).items():
        assert picture.splitlines() == file.read_text().splitlines(), (
            "if the change is intended, run: python -m tests.golden"
        )


def test_a_batch_goes_from_the_producer_to_the_end_of_its_tape(empty: Page) -> None:
    events = journal("write-and-read")
    sent = only(events, "batch_sent")
    key = f"batch:{sent['batch']}"
    assert (sent["partition"], sent["bytes"]) == (0, 567)
    ways = sent["due_us"] - sent["at_us"]
    times = [sent["at_us"] + ways * part // 10 for part in range(10)] + [sent["due_us"] - 1]
    marks = [mark(scene, key) for scene in evaluate(empty, events, SCENES, times)]
    assert marks[0]["x"] + marks[0]["width"] / 2 == pytest.approx(PRODUCER_EDGE), "it starts behind the producer's edge"
    assert marks[0]["y"] < PRODUCER_BELOW
    assert [one["x"] for one in marks] == sorted(one["x"] for one in marks)
    # it lands centred on the bytes it will take: 860 to 1427, of a window of 1,536 over 600 pixels
    assert marks[-1]["x"] == pytest.approx(300 + (860 + 567 / 2) / 1536 * 600, abs=0.5)
    assert marks[-1]["y"] == pytest.approx(TAPE_TOPS[0] + TAPE_HEIGHT / 2, abs=0.5)
    assert marks[-1]["width"] == pytest.approx(567 / 1536 * 600, abs=0.5)


def test_the_place_of_a_flight_is_proportional_to_its_elapsed_time(empty: Page) -> None:
    """The place depends on nothing but the time: it is the same in any order of calls."""
    events = journal("write-and-read")
    sent = only(events, "fetch_sent")
    key = f"fetch:{sent['fetch']}"
    way = sent["due_us"] - sent["at_us"]
    times = [sent["at_us"] + part * way // 8 for part in (1, 2, 4, 2)]
    first, second, _, again = (mark(scene, key) for scene in evaluate(empty, events, SCENES, times))
    assert (second["x"], second["y"]) == (again["x"], again["y"])
    assert (first["x"], first["y"]) != (second["x"], second["y"])


def test_a_flight_is_drawn_only_between_its_departure_and_its_arrival(empty: Page) -> None:
    events = journal("write-and-read")
    sent = only(events, "batch_sent")
    times = [sent["at_us"] - 1, sent["at_us"], sent["due_us"] - 1, sent["due_us"]]
    scenes = evaluate(empty, events, SCENES, times)
    present = [any(one["key"] == f"batch:{sent['batch']}" for one in scene["marks"]) for scene in scenes]
    assert present == [False, True, True, False]


def test_a_compressed_batch_is_smaller_on_the_wire_and_one_cell(empty: Page) -> None:
    events = journal("write-and-read")
    plain, compressed = only(events, "batch_sent"), only(events, "batch_sent", compression="gzip")
    assert compressed["messages"] > plain["messages"]
    scenes = evaluate(empty, events, SCENES, [plain["at_us"], compressed["at_us"]])
    wide, narrow = mark(scenes[0], f"batch:{plain['batch']}"), mark(scenes[1], f"batch:{compressed['batch']}")
    assert (wide["cells"], narrow["cells"]) == (3, 1)
    # both are drawn by their bytes on one scale, as far as a batch may be wide
    assert narrow["width"] / wide["width"] == pytest.approx(
        compressed["bytes"] / plain["bytes"] * scenes[0]["window_bytes"] / scenes[1]["window_bytes"], rel=0.02
    )


def test_a_window_shows_the_newest_messages_and_grows_by_doubling(empty: Page) -> None:
    events = journal("forget")
    end_us = events[-1]["at_us"]
    scene = evaluate(empty, events, SCENE, end_us)
    assert math.log2(scene["window_bytes"] / 1536) % 1 == 0
    for name, log in scene["state"]["partitions"].items():
        assert log["first_offset"] > 0, "retention deleted the oldest segments"
        assert log["first_offset"] <= scene["origins"][name] <= log["next_offset"]
        assert log["next_offset"] - scene["origins"][name] <= scene["window_bytes"]


def test_the_sentences_after_a_crash_come_in_order(empty: Page) -> None:
    events = journal("crash-and-rebalance")
    times = sorted({event["at_us"] for event in events})
    sentences = [scene["sentence"] for scene in evaluate(empty, events, SCENES, times)]
    expected = [
        "Metrics C crashed. Nobody knows until its session runs out",
        "of p0 were never flushed: the crash took them.",
        "The session of Metrics C ran out",
        "releases p",
        "computes its own share",
        "owns p",
    ]
    found = [next((at for at, one in enumerate(sentences) if words in one), -1) for words in expected]
    assert found == sorted(found)
    assert -1 not in found


def test_ribbons_lead_to_the_owners_in_the_registry(empty: Page) -> None:
    events = journal("crash-and-rebalance")
    expired = only(events, "session_expired", client="consumer:Real-time metrics/Metrics C")["at_us"]
    before, at, end = evaluate(empty, events, SCENES, [expired - 1, expired, events[-1]["at_us"]])

    def owner(scene: Any) -> list[str]:
        return [one["consumer"] for one in scene["ribbons"] if one["key"] == "Real-time metrics/pageviews-2"]

    assert owner(before) == ["Metrics C"], "the crash is not known yet"
    assert owner(at) == []
    assert "Metrics C" not in [one["consumer"] for one in end["ribbons"]]
