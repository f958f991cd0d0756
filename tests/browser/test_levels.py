"""Levels of detail, the rates of the flow, and the scale of its bands: pure functions."""

import itertools
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ServerProcess


class Module:
    """A module of static/js without a stage; its functions are called with plain values."""

    def __init__(self, page: Page, server: ServerProcess, name: str) -> None:
        page.goto(f"{server.base_url}/healthz")
        self.page = page
        self.address = f"{server.base_url}/static/js/{name}.js"

    def call(self, expression: str, **values: Any) -> Any:
        """Evaluate ``expression``, in which ``m`` is the module and ``v`` are the values."""
        return self.page.evaluate(
            f"async ({{address, v}}) => {{ const m = await import(address); return {expression}; }}",
            {"address": self.address, "v": values},
        )


def test_the_bands_of_a_producer_above_the_brokers_run_down_the_margin(page: Page, server: ServerProcess) -> None:
    bands = """(([producer, edge]) => {
        const state = {partitions: {"t-0": {topic: "t"}, "t-1": {topic: "t"}}};
        const rate = {bytes: 1e5, messages: 1e3};
        const rates = {appended: new Map([["t-0", rate], ["t-1", rate]]), pulled: new Map()};
        const tapes = new Map([["t-0", {top: 90, height: 20, edge}], ["t-1", {top: 190, height: 20, edge}]]);
        return m.bands(state, rates, {producer, tapes}, []).map(({key, path, width}) => [key, path, width.toFixed(1)]);
    })(v.where)"""
    flow = Module(page, server, "scene/flow")
    above = {"x": 740, "left": 12, "y": 30, "below": 80}
    assert flow.call(bands, where=[above, 12]) == [
        ["producer", "M12 30H6", "9.9"],
        ["trunk down 0", "M6 30V100", "9.9"],
        ["trunk down 1", "M6 100V200", "9.2"],
        ["producer t-0", "M6 100H14", "9.2"],
        ["producer t-1", "M6 200H14", "9.2"],
    ]
    beside = {"x": 200, "left": 12, "y": 30, "below": 80}
    assert flow.call(bands, where=[beside, 240])[0] == ["producer", "M200 30H220", "9.9"]
    hidden = {"x": 0, "left": 0, "y": 0, "below": 0}
    assert flow.call(bands, where=[hidden, 12]) == []


@pytest.mark.parametrize(
    ("before", "messages", "flights", "summary", "level"),
    [
        ("messages", 0, 0, False, "messages"),
        ("messages", 200, 200, False, "messages"),
        ("messages", 201, 67, False, "batches"),
        ("batches", 150, 50, False, "batches"),
        ("batches", 120, 40, False, "messages"),
        ("batches", 900, 200, False, "batches"),
        ("batches", 900, 201, False, "flow"),
        ("flow", 900, 150, False, "flow"),
        ("flow", 900, 120, False, "batches"),
        ("flow", 12, 4, False, "messages"),
        ("messages", 0, 0, True, "flow"),
    ],
)
def test_a_level_is_entered_above_its_limit_and_left_well_below(
    page: Page, server: ServerProcess, before: str, messages: int, flights: int, summary: bool, level: str
) -> None:
    levels = Module(page, server, "scene/levels")
    load = {"messages": messages, "flights": flights}
    assert levels.call("m.levelOf(v.before, v.load, v.summary)", before=before, load=load, summary=summary) == level


def test_the_load_counts_the_messages_in_batches(page: Page, server: ServerProcess) -> None:
    flights = {"batch:1": {"messages": 50}, "fetch:1": {}, "answer:2": {}}
    assert Module(page, server, "scene/levels").call("m.loadOf(v.state)", state={"flights": flights}) == {
        "messages": 52,
        "flights": 3,
    }


def state(at_us: int, next_offset: int, messages: int, fetch_offset: int, bookmark: int) -> dict[str, Any]:
    return {
        "at_us": at_us,
        "state": {
            "at_us": at_us,
            "partitions": {"t-0": {"next_offset": next_offset, "messages": messages}},
            "positions": {"g/t-0": {"consumer": "A", "fetch_offset": fetch_offset}},
            "groups": {"g": {}},
            "bookmarks": {"g/t-0": {"offset": bookmark}},
        },
    }


RATES = """((rates) => ({...rates, appended: [...rates.appended], pulled: [...rates.pulled],
    behind: [...rates.behind]}))(m.ratesAt(v.instants, v.instants.length - 1))"""


def test_rates_are_differences_of_two_states_over_virtual_time(page: Page, server: ServerProcess) -> None:
    instants = [state(0, 0, 0, 0, 0), state(4_000_000, 0, 0, 400, 0), state(6_000_000, 3_000, 30, 800, 600)]
    rates = Module(page, server, "scene/rates").call(RATES, instants=instants)
    assert rates["messages"] == 15  # over the last two seconds
    assert rates["bytes"] == 1_500
    assert rates["appended"] == [["t-0", {"bytes": 1_500, "messages": 15}]]
    assert rates["pulled"] == [["g/t-0", pytest.approx(800 / 6)]]  # over all six seconds there are: fewer than eight
    assert rates["behind"] == [["g", pytest.approx(2_400 / 6)]]


def test_a_counter_that_went_back_or_just_began_has_no_rate(page: Page, server: ServerProcess) -> None:
    rates = Module(page, server, "scene/rates")
    back = rates.call(RATES, instants=[state(0, 900, 9, 800, 0), state(2_000_000, 600, 6, 100, 500)])
    assert (back["messages"], back["bytes"], back["pulled"]) == (0, 0, [["g/t-0", 0]])
    assert back["behind"] == [["g", -400]]  # 900 bytes behind, then 100
    assert rates.call(RATES, instants=[state(5, 900, 9, 800, 0)])["bytes"] == 0


def test_the_width_of_a_band_grows_by_one_step_for_each_factor_of_ten(page: Page, server: ServerProcess) -> None:
    scale = Module(page, server, "scene/scale")
    widths = scale.call("[0, 1, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e12].map(m.bandWidth)")
    assert widths[0] == 0
    assert widths[1] == widths[2] > 0
    steps = [wide - narrow for narrow, wide in itertools.pairwise(widths[2:8])]
    assert max(steps) == pytest.approx(min(steps))
    assert widths[8] <= 16


def test_rates_are_written_with_three_digits(page: Page, server: ServerProcess) -> None:
    words = Module(page, server, "scene/scale").call(
        "[0, 7, 999, 1000, 9996, 12345, 999600, 1.284e6, 5e9].map(m.rateInWords)"
    )
    assert words == [
        "0 B/s",
        "7 B/s",
        "999 B/s",
        "1.00 kB/s",
        "10.0 kB/s",
        "12.3 kB/s",
        "1.00 MB/s",
        "1.28 MB/s",
        "5.00 GB/s",
    ]


def test_a_window_keeps_its_size_while_the_rate_wavers_and_changes_with_the_rate(
    page: Page, server: ServerProcess
) -> None:
    tape = Module(page, server, "scene/tape")
    first = tape.call("m.fastWindowBytes(1536, 400e3)")
    assert first >= 400e3 * 2.5
    for wavering in (380e3, 420e3, 300e3):
        assert tape.call("m.fastWindowBytes(v.before, v.rate)", before=first, rate=wavering) == first
    assert tape.call("m.fastWindowBytes(v.before, 4e6)", before=first) > first
    assert tape.call("m.fastWindowBytes(v.before, 4e3)", before=first) < first


def test_cells_and_segments_are_drawn_while_they_are_distinguishable(page: Page, server: ServerProcess) -> None:
    tape = Module(page, server, "scene/tape")
    log = {
        "first_offset": 0,
        "next_offset": 9_000,
        "entries": [[offset, 100, 1, ""] for offset in range(8_000, 9_000, 100)],
        "segments": [[offset, 1_000] for offset in range(0, 9_000, 1_000)],
    }
    assert tape.call("m.cellsReadable(v.log, 1536)", log=log) is True
    assert tape.call("m.cellsReadable(v.log, 1e6)", log=log) is False
    beside_a_large_one = {"entries": [[0, 10_021, 1, ""], [10_021, 24, 1, ""]]}
    assert tape.call("m.cellsReadable(v.log, 16384)", log=beside_a_large_one) is True
    near = tape.call("m.segmentsInView(v.log, 8000, 1536)", log=log)
    assert [segment["offset"] for segment in near] == [6_000, 7_000, 8_000]  # one window to slide through
    (several,) = tape.call("m.segmentsInView(v.log, 0, 98304)", log=log)
    assert several["file"] == "00000000000000008000.kafka"
    assert (several["offset"], several["bytes"]) == (0, 9_000)


def test_the_bytes_before_a_tape_are_written_with_few_digits(page: Page, server: ServerProcess) -> None:
    tape = Module(page, server, "scene/tape")
    origins = [0, 999, 1_000, 7_449, 9_949, 9_950, 61_500, 1_234_567]
    said = tape.call("v.origins.map((o) => m.earlierOf({first_offset: 0, entries: []}, o))", origins=origins)
    assert said == ["", "+999 B", "+1.0 kB", "+7.4 kB", "+9.9 kB", "+10 kB", "+62 kB", "+1,235 kB"]


def test_a_tape_draws_the_messages_of_its_window_and_those_sliding_out_of_it(page: Page, server: ServerProcess) -> None:
    tape = Module(page, server, "scene/tape")
    log = {"next_offset": 9_000, "entries": [[offset, 100, 1, ""] for offset in range(5_000, 9_000, 100)]}
    for begun, oldest in ((8_000, 8_000), (7_500, 7_500), (0, 6_400), (8_500, 8_000)):
        shown = tape.call("m.entriesInView(v.log, 8000, 1536, v.begun)", log=log, begun=begun)
        assert [entry[0] for entry in shown] == list(range(oldest, 9_000, 100)), begun
    assert tape.call("m.entriesInView(v.log, 8000, 1536)[0][0]", log=log) == 8_000
    assert tape.call("m.entriesInView(v.log, 8000, 1e6)", log=log) == []


def test_places_on_a_tape_are_relative_to_a_nearby_base(page: Page, server: ServerProcess) -> None:
    tape = Module(page, server, "scene/tape")
    origins = [0, 1_535, 98_303, 98_304, 1_000_000, 123_456_789_012]
    bases = tape.call("v.origins.map((origin) => m.baseOf(origin, 1536))", origins=origins)
    assert bases[:4] == [0, 0, 0, 98_304]
    assert all(0 <= origin - base < 98_304 for origin, base in zip(origins, bases, strict=True))


def test_a_response_with_bytes_before_the_window_starts_at_the_left_end_of_the_tape(
    page: Page, server: ServerProcess
) -> None:
    flight = {"event": "fetch_answered", "group": "g", "consumer": "c", "topic": "t", "partition": 0}
    found = Module(page, server, "scene/flights").call("""m.marks({
        state: {flights: {"answer:1": {...v.flight, offset: 0, bytes: 1000, error: "", at_us: 0, due_us: 9}}},
        now_us: 0, ribbons: [], window_bytes: 1500, origins: new Map([["t-0", 50000]]),
        steps: false, losses: [], level: "messages",
        anchors: {
            letter: 6, tapes: new Map([["t-0", {left: 300, top: 100, width: 600, height: 40}]]),
            tabs: new Map([["g/t-0", {x: 920, y: 160}]]),
            lanes: new Map(), consumers: new Map([["g/c", {left: 1000, top: 100, width: 100, height: 50}]]),
        },
    })""", flight=flight)  # fmt: skip
    (mark,) = found
    assert (mark["x"] - mark["width"] / 2, mark["width"]) == (pytest.approx(300), pytest.approx(400))


def test_a_response_to_a_card_below_stays_within_the_card_of_its_broker(page: Page, server: ServerProcess) -> None:
    flight = {"event": "fetch_answered", "group": "g", "consumer": "c", "topic": "t", "partition": 0}
    found = Module(page, server, "scene/flights").call("""[0, 3, 5, 6, 7, 8, 9].map((now_us) => m.marks({
        state: {flights: {"answer:1": {...v.flight, offset: 0, bytes: 1000, error: "", at_us: 0, due_us: 9}}},
        now_us, ribbons: [], window_bytes: 1500, origins: new Map([["t-0", 0]]),
        steps: false, losses: [], level: "messages",
        anchors: {
            letter: 6, tapes: new Map([["t-0", {left: 70, top: 100, width: 300, height: 40}]]),
            tabs: new Map([["g/t-0", {x: 366, y: 160}]]), lanes: new Map([["g/t-0", {y: 170, from: 300, to: 366}]]),
            consumers: new Map([["g/c", {left: 12, top: 400, width: 350, height: 50}]]),
        },
    })[0])""", flight=flight)  # fmt: skip
    assert max(mark["x"] + mark["width"] / 2 for mark in found) == pytest.approx(366)
    assert found[-1]["x"] == pytest.approx(12)


def test_a_merge_patch_is_applied_and_unchanged_parts_are_shared(page: Page, server: ServerProcess) -> None:
    patch = Module(page, server, "state/patch")
    before = {"a": {"b": 1, "c": [1, 2]}, "gone": 1, "same": {"x": 1}}
    change = {"a": {"b": 2, "c": [3]}, "gone": None, "new": {"y": {}}}
    after = {"a": {"b": 2, "c": [3]}, "same": {"x": 1}, "new": {"y": {}}}
    assert patch.call("m.patched(v.before, v.change)", before=before, change=change) == after
    assert patch.call("m.patched(v.before, v.change).same === v.before.same", before=before, change=change) is True
    assert patch.call("(m.patched(v.before, v.change), v.before)", before=before, change=change) == before


def test_a_summary_joins_its_groups_into_an_english_list(page: Page, server: ServerProcess) -> None:
    summary = Module(page, server, "scene/summary")
    for groups, said in ((["A"], "A falls"), (["A", "B"], "A and B fall"), (["A", "B", "C"], "A, B and C fall")):
        rates = {"messages": 5, "bytes": 100, "behind": [[group, 50] for group in groups]}
        sentence = summary.call("m.flowInWords({...v.rates, behind: new Map(v.rates.behind)})", rates=rates)
        assert sentence == f"5 messages a second are appended; {said} behind."
