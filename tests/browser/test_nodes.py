"""A node of the page stays the same node for as long as it stands for the same thing."""

from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, Stage

MARK = "(nodes) => nodes.forEach((node) => { node.marked = true; })"
MARKED = "(nodes) => nodes.filter((node) => node.marked).length"


def test_nodes_of_the_first_paint_are_adopted_not_replaced(stage: Stage) -> None:
    stage.page.add_init_script("""
        addEventListener("DOMContentLoaded", () => {
            for (const node of document.querySelectorAll("[data-testid]")) node.marked = true;
        });
    """)
    stage.open().let_time_run()
    chosen = stage.page.locator("[data-testid]")
    assert chosen.evaluate_all(MARKED) == chosen.count()


def test_nodes_keep_their_identity_under_updates(stage: Stage) -> None:
    stage.open().at_speed(8)
    chosen = stage.page.locator("[data-testid]")
    count = chosen.count()
    chosen.evaluate_all(MARK)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.add_consumer()
    expect(stage.consumer("Metrics D")).to_be_visible()
    stage.settled()
    assert chosen.evaluate_all(MARKED) == count
    assert chosen.count() > count


def test_focus_stays_on_a_control_while_everything_around_it_changes(stage: Stage) -> None:
    stage.open().at_speed(8)
    crash = stage.consumer("Metrics A").get_by_role("button", name="Crash")
    crash.focus()
    stage.batch_send.dispatch_event("click")
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.settled()
    expect(crash).to_be_focused()


def test_a_new_group_gets_rows_under_every_tape(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.command("add_group", group="Third")
    stage.command("add_consumer", group="Third")
    stage.settled()
    for partition in range(3):
        expect(stage.bookmark(partition, "Third")).to_be_visible()
        expect(stage.owner(partition, "Third")).to_have_attribute("data-consumer", "Third A")
    assert stage.owners(METRICS) == ["Metrics A", "Metrics B", "Metrics C"]


def test_the_forms_of_a_new_consumer_work(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.add_consumer()
    expect(stage.consumer("Metrics D")).to_have_attribute("data-state", "idle")
    stage.press("Metrics D", "Stop")
    expect(stage.consumer("Metrics D")).to_have_attribute("data-state", "closed")
