"""axe-core finds no violation, on any page, in any theme."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.charts import Charts
from tests.browser.pages.stage import Stage

THEMES = ("light", "dark", "projector")

# The layers of ribbons and flights cover the whole board and are empty almost everywhere. axe cannot see through a
# layer and would not check the contrast below it, so the layers are removed for the check.
LIFT_LAYERS = (
    "() => document.querySelectorAll('.ribbons, .flights').forEach((layer) => { layer.style.display = 'none'; })"
)


# A theme changes colours, and one theme sizes too; what does not depend on these is checked once.
RULES = {"dark": ["color-contrast"], "projector": ["color-contrast", "target-size"]}
OPEN_PANEL = "#inspector[open]"


def violations_of(page: Page) -> list[str]:
    """Return the violations in each theme, as ``theme: rule: element``; undecided results count too.

    Undecided contrasts and sizes do not count: test_accessibility.py measures the contrast of every word. Where the
    inspector is open, the other themes check only the inspector, since other tests check the page behind it.
    """
    page.emulate_media(reduced_motion="reduce")  # or a button may be checked during a transition of its colour
    page.evaluate(LIFT_LAYERS)
    axe, found = Axe(), []
    panel = OPEN_PANEL if page.locator(OPEN_PANEL).count() else None
    for theme in THEMES:
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        options: dict[str, Any] = {"resultTypes": ["violations", "incomplete"]}
        if theme != THEMES[0]:
            options |= {"runOnly": RULES[theme]}
        results = axe.run(page, None if theme == THEMES[0] else panel, options).response
        undecided = [rule for rule in results["incomplete"] if rule["id"] not in RULES["projector"]]
        for rule in [*results["violations"], *undecided]:
            found += [f"{theme}: {described(rule, node)}" for node in rule["nodes"]]
    return found


def described(rule: dict[str, Any], node: dict[str, Any]) -> str:
    messages = [one["message"] for kind in ("any", "all", "none") for one in node[kind]]
    return f"{rule['id']}: {node['html'][:160]}: {'; '.join(messages)}"


def at_rest(stage: Stage) -> None:
    stage.open()


def with_a_message(stage: Stage) -> None:
    stage.open()
    stage.record(0, 215).get_by_role("link").click()
    expect(stage.inspector).to_contain_text("fits the payload")


def with_settings_of_the_producer(stage: Stage) -> None:
    stage.open()
    stage.page.locator('[data-part="producer"] [data-panel][href$="/producer"]').click()
    expect(stage.inspector).to_contain_text("linger")


def with_settings_of_a_consumer(stage: Stage) -> None:
    stage.open()
    stage.consumer("Metrics A").get_by_role("link", name="Settings").click()
    expect(stage.inspector).to_contain_text("commits every")


def with_the_table(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_text("The same as a table").click()
    expect(stage.page.locator(".facts-table")).to_contain_text("Metrics A")


def with_the_charts(stage: Stage) -> None:
    stage.open()
    charts = Charts(stage).open()
    assert charts.newest()


def with_the_files(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_role("link", name="Files of this room").click()
    expect(stage.inspector).to_contain_text("events as lines of JSON")


def with_the_keys(stage: Stage) -> None:
    stage.open()
    stage.page.keyboard.press("?")
    expect(stage.page.locator("#help")).to_be_visible()


def with_what_can_be_broken(stage: Stage) -> None:
    stage.open()
    stage.broker(1).get_by_role("link", name="Break").click()
    expect(stage.inspector.get_by_role("heading").first).to_be_visible()


def with_what_can_be_added(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_role("link", name="Add a topic, broker or group").click()
    expect(stage.inspector.get_by_role("heading").first).to_be_visible()


def with_a_refusal(stage: Stage) -> None:
    with_settings_of_the_producer(stage)
    stage.inspector.get_by_label("messages per second").fill("1000000000")
    stage.inspector.get_by_role("button", name="Apply").click()
    expect(stage.outcome).to_have_attribute("data-ok", "false")


def in_the_middle_of_a_rebalance(stage: Stage) -> None:
    stage.open().pause_time()
    stage.add_consumer()
    expect(stage.consumer("Metrics D")).to_be_visible()
    stage.step_until(stage.group().locator('[data-testid$="Metrics A"][data-state="rebalancing"]'))


def after_crashes(stage: Stage) -> None:
    stage.open().at_speed(4)
    stage.press("Metrics B", "Crash")
    stage.command("crash_broker", broker=2)
    expect(stage.broker(2)).to_have_attribute("data-alive", "false")
    stage.pause.click()
    stage.settled()


def looking_at_the_past(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.pause.click()
    stage.settled()
    stage.step_back.click()
    expect(stage.root).to_have_attribute("data-view", "past")


def in_a_room(stage: Stage) -> None:
    stage.open()
    stage.open(f"/rooms/{stage.room}")


def in_an_embed(stage: Stage) -> None:
    stage.open("/embed/pageviews")


def in_an_embed_without_controls(stage: Stage) -> None:
    stage.open("/embed/pageviews?controls=0")


def in_a_deployment(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 1280, "height": 1500})  # nothing is covered by the time bar
    stage.open("/embed/deployment")


def on_a_phone(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open()


@pytest.mark.parametrize(
    "prepare",
    [
        at_rest,
        with_a_message,
        with_settings_of_the_producer,
        with_settings_of_a_consumer,
        with_the_table,
        with_the_keys,
        with_the_charts,
        with_the_files,
        with_what_can_be_broken,
        with_what_can_be_added,
        with_a_refusal,
        in_the_middle_of_a_rebalance,
        after_crashes,
        looking_at_the_past,
        in_a_room,
        in_an_embed,
        in_an_embed_without_controls,
        in_a_deployment,
        on_a_phone,
    ],
)
def test_axe_finds_nothing_on_a_stage(stage: Stage, prepare: Callable[[Stage], None]) -> None:
    prepare(stage)
    stage.settled()
    assert violations_of(stage.page) == []


def test_axe_finds_nothing_for_a_spectator(stage: Stage, page: Page) -> None:
    stage.open()
    room = stage.room
    page.context.clear_cookies()
    stage.open(f"/rooms/{room}")
    assert stage.root.get_attribute("data-presenter") == "false"
    assert violations_of(page) == []


def test_axe_finds_nothing_on_an_error_page(page: Page, server: ServerProcess) -> None:
    page.goto(f"{server.base_url}/rooms/nowhere")
    assert violations_of(page) == []


def test_axe_finds_planted_violations(stage: Stage) -> None:
    """The check works: it finds a button without a name, and grey words on grey in each theme."""
    stage.open()
    stage.page.locator(".time-bar").evaluate("""(bar) => {
        bar.append(document.createElement("button"), Object.assign(document.createElement("p"), {textContent: "grey"}));
        bar.lastElementChild.style.cssText = "color: #777; background: #888";
    }""")
    rules = {one.split(": ")[1] for one in violations_of(stage.page)}
    assert rules == {"button-name", "color-contrast"}
