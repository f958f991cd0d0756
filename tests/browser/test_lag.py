"""The lag of a group: the figures of the engine, a line over the last minute, and a word for its trend."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage

SECOND_US = 1_000_000


def in_module(page: Page, server: ServerProcess, module: str, expression: str, argument: object) -> Any:
    page.goto(f"{server.base_url}/healthz")
    return page.evaluate(
        f"async ([address, argument]) => {{ const m = await import(address); return ({expression})(m, argument); }}",
        [f"{server.base_url}/static/js/{module}.js", argument],
    )


def saw(period: int, height: float, slope: float = 0.0, start: float = 100.0) -> list[float]:
    """Return the saw teeth that batches and commits make: the lag rises for some seconds, then drops."""
    return [start + slope * second + height * (second % period) / period for second in range(61)]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([5.0, 6.0, 7.0], ""),
        ([100.0] * 30, "steady"),
        ([100.0 + 10 * second for second in range(30)], "growing"),
        ([1_000_000.0 + 20 * second for second in range(30)], "growing"),
        ([900.0 - 10 * second for second in range(30)], "shrinking"),
        (saw(3, 400), "steady"),
        (saw(8, 400), "steady"),
        (saw(3, 40, slope=10), "growing"),
        (saw(3, 40, slope=-10, start=900), "shrinking"),
        ([400.0] * 20 + [0.0], "caught up"),
        ([0.0, 300.0, 600.0, 900.0], "caught up"),
        ([0.0] + [300.0 * second for second in range(1, 8)], "growing"),
    ],
)
def test_the_trend_word_follows_the_lag_and_ignores_its_saw_teeth(
    page: Page, server: ServerProcess, values: Sequence[float], word: str
) -> None:
    assert in_module(page, server, "scene/lag", "(m, values) => m.trendOf(values, 'bytes')", values) == word


def test_the_trend_word_does_not_flicker(page: Page, server: ServerProcess) -> None:
    """At the border between growing and steady, with a new value each second, the word changes at most twice."""
    values = [500 + 4 * second + 90 * math.sin(second * 1.7) for second in range(61)]
    words = in_module(
        page,
        server,
        "scene/lag",
        "(m, v) => v.map((_, end) => m.trendOf(v.slice(0, end + 1), 'bytes')).slice(20)",
        values,
    )
    changes = [1 for before, after in pairwise(words) if before != after]
    assert len(changes) <= 2, words


def test_the_line_has_one_value_a_second_from_the_samples(page: Page, server: ServerProcess) -> None:
    values = in_module(
        page,
        server,
        "scene/sparkline",
        """(m) => {
            const group = {bytes: 7, messages: 1, waiting_since_us: 10e6};
            const samples = {at: (at_us) => (at_us < 12e6 ? undefined : {at_us, groups: {readers: group}})};
            const last = (group, unit, now_us) => m.lastMinute(samples, group, unit, now_us);
            return [last("readers", "seconds", 15.4e6), last("readers", "bytes", 15e6), last("others", "bytes", 15e6),
                m.sparkline([0, 5, 10]), m.sparkline([3]), m.sparkline([])];
        }""",
        None,
    )
    seconds, plain, nobody, line, alone, nothing = values
    assert seconds == [2, 3, 4, 5, pytest.approx(5.4)]
    assert plain == [7, 7, 7, 7]
    assert nobody == []
    assert (line["line"], line["most"]) == ("M58 19.00L59 10.00L60 1.00", 10)
    assert (alone["line"], alone["area"], alone["most"]) == ("M59 1.00L60 1.00", "M59 1.00L60 1.00V20H59Z", 3)
    assert (nothing["line"], nothing["most"]) == ("", 0)


def test_samples_are_bounded_and_keep_their_order(page: Page, server: ServerProcess) -> None:
    kept = in_module(
        page,
        server,
        "state/samples",
        """(m) => {
            const state = {partitions: {}, groups: {}, bookmarks: {}};
            const samples = new m.Samples();
            const instants = [];
            for (let at_us = 0; at_us < 7200e6; at_us += 150e3) {
                instants.push({at_us, state});
                if (instants.length % 400 === 0) samples.take(instants);
                if (instants.length > 6000) instants.splice(0, 1500);
            }
            samples.take([{at_us: 100.3e6, state}, {at_us: 100.4e6, state}]);
            return samples.kept.map(({at_us}) => at_us);
        }""",
        None,
    )
    assert len(kept) <= 2_401
    assert kept == sorted(kept)
    assert kept[0] < SECOND_US
    assert kept[-1] >= 7_190 * SECOND_US


def test_samples_can_be_taken_up_to_a_time_and_the_rest_later(page: Page, server: ServerProcess) -> None:
    one_by_one, at_once = in_module(
        page,
        server,
        "state/samples",
        """(m) => {
            const state = {partitions: {}, groups: {}, bookmarks: {}};
            const instants = Array.from({length: 100}, (_, index) => ({at_us: index * 90e3, state}));
            const taken = (...times_us) => {
                const samples = new m.Samples();
                return times_us.map((at_us) => {
                    samples.take(instants, at_us);
                    return samples.kept.map(({at_us}) => at_us);
                });
            };
            return [taken(-1, 3e6, 3e6, 2e6, 5.05e6, Infinity), taken(Infinity)];
        }""",
        None,
    )
    assert one_by_one[0] == []
    assert 0 < one_by_one[1][-1] <= 3 * SECOND_US
    assert one_by_one[1] == one_by_one[2] == one_by_one[3]
    assert one_by_one[-1] == at_once[0]


def lag_facts(stage: Stage, group: str) -> dict[str, float]:
    one = next(one for one in stage.facts()["groups"] if one["group"] == group)
    places = one["partitions"]
    return {
        "B": sum(place["lag_bytes"] for place in places),
        "messages": sum(place["lag_messages"] for place in places),
        "s": max(place["lag_us"] for place in places) / SECOND_US,
    }


def shown_lag(stage: Stage, group: str) -> tuple[float, str]:
    figure, noun, _behind = stage.lag(group).inner_text().split()
    return float(figure.replace(",", "")), noun


def test_the_lag_in_each_unit_is_the_figure_of_the_engine(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.command("produce", topic="pageviews", count=200, size=80)
    stage.command("crash_consumer", group=METRICS, consumer="Metrics B")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "gone")
    stage.command("clock", action="pause")
    expect(stage.root).to_have_attribute("data-paused", "true")
    stage.settled()
    for noun in ("B", "messages", "s"):
        for group in (METRICS, WAREHOUSE):
            figure, shown = shown_lag(stage, group)
            assert shown == noun
            assert figure == pytest.approx(lag_facts(stage, group)[noun], abs=0.05)
        stage.lag(METRICS).click()
    assert shown_lag(stage, METRICS)[1] == "B"
    stage.page.get_by_text("The same as a table").click()
    places = next(one for one in stage.facts()["groups"] if one["group"] == METRICS)["partitions"]
    row = stage.page.locator(f'[data-row="{METRICS}/pageviews-1"] td').last
    expect(row).to_have_text(
        f"{places[1]['lag_bytes']:,} B · {places[1]['lag_messages']} messages · {places[1]['lag_us'] / SECOND_US:.1f} s"
    )


def test_a_group_of_paused_consumers_falls_behind_and_an_active_one_catches_up(stage: Stage) -> None:
    stage.open()
    stage.command("set_producer", topic="pageviews", rate_per_second=3)
    for name in ("Metrics A", "Metrics B", "Metrics C"):
        stage.command("pause_consumer", group=METRICS, consumer=name)
    stage.command("set_consumer", group=WAREHOUSE, consumer="Loader A", messages_per_second=100, commit_interval_ms=500)
    stage.command("set_consumer", group=WAREHOUSE, consumer="Loader A", poll_interval_ms=500)
    stage.at_speed(8)
    expect(stage.trend(METRICS)).to_have_text("growing")
    assert (stage.spark(METRICS).locator(".spark-line").get_attribute("d") or "").startswith("M")
    expect(stage.page.locator('[data-part="lag-news"]')).to_contain_text(METRICS)
    stage.command("set_producer", topic="pageviews", rate_per_second=0)
    expect(stage.trend(WAREHOUSE)).to_have_text("caught up")


def test_the_past_shows_the_line_and_the_lag_of_that_time(stage: Stage) -> None:
    stage.open()
    before = shown_lag(stage, METRICS)
    stage.at_speed(8)
    stage.command("produce", topic="pageviews", count=30)
    stage.settled()
    stage.command("clock", action="pause")
    expect(stage.root).to_have_attribute("data-paused", "true")
    stage.settled()
    assert shown_lag(stage, METRICS) != before
    stage.focus(stage.scrub)
    stage.page.keyboard.press("Home")
    stage.settled()
    assert shown_lag(stage, METRICS) == before
    assert stage.spark(METRICS).locator(".spark-line").get_attribute("d") == "M59 1.00L60 1.00", (
        "of the beginning no more is known than how it was then"
    )
