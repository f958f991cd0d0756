"""Consumers join, leave and crash; the group rebalances, and no partition has two owners."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, Stage

WATCH_OWNERS = """() => {
    window.doubles = [];
    const look = () => {
        const owned = new Map();
        for (const card of document.querySelectorAll('[data-testid^="group-Real-time"] .consumer')) {
            const words = card.querySelector('[data-part="owns"]').textContent.match(/p\\d+/g) ?? [];
            for (const partition of words) {
                if (owned.has(partition)) window.doubles.push([partition, owned.get(partition), card.dataset.consumer]);
                owned.set(partition, card.dataset.consumer);
            }
        }
    };
    const changes = {subtree: true, childList: true, characterData: true};
    new MutationObserver(look).observe(document.querySelector('.groups'), changes);
}"""


@pytest.fixture
def watched(stage: Stage) -> Iterator[Stage]:
    """A stage at speed 8 that records whenever two consumers show the same partition."""
    stage.open().at_speed(8)
    stage.page.evaluate(WATCH_OWNERS)
    yield stage
    assert stage.page.evaluate("() => window.doubles") == []


def test_a_crash_is_noticed_only_when_the_session_expires(watched: Stage) -> None:
    watched.at_speed(0.25)
    watched.press("Metrics B", "Crash")
    crashed = watched.consumer("Metrics B")
    expect(crashed).to_have_attribute("data-state", "crashed")
    expect(crashed.locator(".countdown")).to_be_visible()
    expect(watched.owner(1)).to_have_attribute("data-consumer", "Metrics B")
    watched.has_announced("Metrics B crashed")
    watched.at_speed(8)
    expect(crashed).to_have_attribute("data-state", "gone")
    watched.settled()
    assert sorted(set(watched.owners())) == ["Metrics A", "Metrics C"]
    assert watched.owners() == [one["owner"] for one in watched.facts()["groups"][0]["partitions"]]


def test_a_consumer_that_stops_cleanly_releases_its_partition_at_once(watched: Stage) -> None:
    watched.press("Metrics A", "Stop")
    expect(watched.consumer("Metrics A")).to_have_attribute("data-state", "closed")
    watched.settled()
    assert watched.owners() == ["Metrics B", "Metrics B", "Metrics C"]


def test_with_more_consumers_than_partitions_the_others_are_shown_as_idle(watched: Stage) -> None:
    watched.add_consumer()
    expect(watched.consumer("Metrics D")).to_be_visible()
    watched.settled()
    expect(watched.consumer("Metrics D")).to_have_attribute("data-state", "idle")
    expect(watched.consumer("Metrics D")).to_contain_text("no partition left for it")
    assert watched.owners() == ["Metrics A", "Metrics B", "Metrics C"]


def test_the_steps_of_a_rebalance_are_shown_one_after_the_other(stage: Stage) -> None:
    stage.open()
    stage.page.evaluate("""() => {
        const card = document.querySelector('[data-testid="consumer-Real-time metrics-Metrics A"]');
        window.steps = [];
        const note = () => {
            const step = card.dataset.step;
            if (step && window.steps.at(-1) !== step) window.steps.push(step);
        };
        new MutationObserver(note).observe(card, {attributes: true});
    }""")
    stage.pause_time()
    stage.press("Metrics C", "Stop")
    expect(stage.outcome).to_have_attribute("data-ok", "true")
    card = '[data-testid$="Metrics A"]'
    for then in ('[data-state="rebalancing"]', '[data-step="claim"]', '[data-state="running"]'):
        stage.step_until(stage.group().locator(card + then))
    steps = stage.page.evaluate("() => window.steps")
    assert "release" in steps
    assert "claim" in steps
    assert steps.index("release") < steps.index("claim")


def test_registry_nodes_appear_and_disappear_with_their_clients(stage: Stage) -> None:
    stage.open().at_speed(8)
    expect(stage.node(f"/consumers/{METRICS}/ids/Metrics B")).to_be_attached()
    stage.press("Metrics B", "Stop")
    expect(stage.node(f"/consumers/{METRICS}/ids/Metrics B")).to_have_count(0)
    stage.add_consumer()
    expect(stage.node(f"/consumers/{METRICS}/ids/Metrics D")).to_be_attached()


def test_watches_are_drawn_from_the_registry_to_the_consumers(stage: Stage) -> None:
    stage.open().pause_time()
    stage.press("Metrics C", "Stop")
    expect(stage.outcome).to_have_attribute("data-ok", "true")
    stage.step_until(stage.flights("watch"))


def test_ribbons_follow_ownership(stage: Stage) -> None:
    stage.open().at_speed(8)
    expect(stage.ribbon(1)).to_have_attribute("data-consumer", "Metrics B")
    before = stage.ribbon(1).locator(".ribbon-line").get_attribute("d")
    stage.press("Metrics B", "Stop")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "closed")
    stage.settled()
    expect(stage.ribbon(1)).to_have_attribute("data-consumer", stage.owners()[1])
    assert stage.ribbon(1).locator(".ribbon-line").get_attribute("d") != before


def test_a_stopped_consumer_can_be_started_again_or_removed(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.press("Metrics C", "Stop")
    expect(stage.consumer("Metrics C")).to_have_attribute("data-state", "closed")
    stage.press("Metrics C", "Start again")
    stage.settled()
    assert stage.owners() == ["Metrics A", "Metrics B", "Metrics C"]
    stage.press("Metrics B", "Stop")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "closed")
    stage.press("Metrics B", "Remove")
    expect(stage.consumer("Metrics B")).to_have_count(0)


def test_a_rebalance_in_one_group_does_not_affect_the_other(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.press("Metrics B", "Stop")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "closed")
    stage.settled()
    assert stage.owners("Warehouse loader") == ["Loader A", "Loader A", "Loader A"]
    expect(stage.consumer("Loader A", "Warehouse loader")).to_have_attribute("data-state", "running")


def test_a_crashed_broker_is_shown_as_down_and_comes_back(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.broker(2).hover()
    stage.broker(2).get_by_role("button", name="Crash").click()
    expect(stage.broker(2)).to_have_attribute("data-alive", "false")
    stage.broker(2).get_by_role("button", name="Start").click()
    expect(stage.broker(2)).to_have_attribute("data-alive", "true")


def test_a_consumer_cut_off_from_the_registry_shows_its_lost_session_until_it_joins_again(
    watched: Stage,
) -> None:
    watched.command("set_link", **{"from": f"consumer:{METRICS}/Metrics B", "to": "registry", "cut": True})
    card = watched.consumer("Metrics B")
    expect(card).to_have_attribute("data-state", "expired")
    expect(card.locator(".consumer-state")).to_have_text("lost its session")
    expect(card.locator('[data-part="owns"]')).to_have_text("owns nothing")
    watched.settled()
    assert sorted(set(watched.owners())) == ["Metrics A", "Metrics C"]
    assert watched.facts()["groups"][0]["consumers"][1]["state"] == "expired"
    words = card.locator(".consumer-state").inner_text()
    watched.command("heal_links")
    expect(card).to_have_attribute("data-state", "running")
    assert words == "lost its session"
    watched.settled()
    assert watched.owners() == ["Metrics A", "Metrics B", "Metrics C"]


def test_a_consumer_whose_session_expired_stops_and_requests_another_session(stage: Stage) -> None:
    stage.open()
    stage.pause_time()
    stage.command("expire_session", client=f"consumer:{METRICS}/Metrics B")
    while stage.facts()["groups"][0]["consumers"][1]["state"] != "expired":
        stage.command("clock", action="step")
    card = stage.consumer("Metrics B")
    expect(stage.narration).to_have_text(
        "Metrics B lost its session with the registry: it stops at once and asks for a new one."
    )
    expect(card.locator(".consumer-doing")).to_have_text("stopped at once; asks for a new session, then joins again")
    stage.page.route("**/js/main.js", lambda route: route.abort())
    texts = [card.locator(place).inner_text() for place in (".consumer-state", ".consumer-doing")]
    stage.page.goto(f"{stage.base_url}/rooms/{stage.room}")
    assert texts == [card.locator(place).inner_text() for place in (".consumer-state", ".consumer-doing")]
