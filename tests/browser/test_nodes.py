"""A node of the page stays the same node as long as it represents the same thing."""

from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, Stage

MARK = "(nodes) => nodes.forEach((node) => { node.marked = true; })"
MARKED = "(nodes) => nodes.filter((node) => node.marked).length"


def test_nodes_of_the_first_paint_are_reused(stage: Stage) -> None:
    stage.page.add_init_script("""
        addEventListener("DOMContentLoaded", () => {
            for (const node of document.querySelectorAll("[data-testid]")) node.marked = true;
        });
    """)
    stage.open().resume_time()
    chosen = stage.page.locator("[data-testid]")
    assert chosen.evaluate_all(MARKED) == chosen.count()


def test_nodes_keep_their_identity_through_updates(stage: Stage) -> None:
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


def test_nodes_that_stay_on_a_tape_are_not_reinserted_when_the_oldest_leaves_it(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.command("produce", records=[{"key": "user-17", "value": "/home" * 30}] * 30)
    expect(stage.fact("events-appended")).to_have_text("42")
    stage.settled()
    (partition,) = (one for one in range(3) if len(stage.offsets(one)) > 4)
    oldest = stage.offsets(partition)[0]
    stage.page.evaluate("""() => {
        window.moved = [];
        new MutationObserver((changes) => {
            const removed = changes.flatMap(({removedNodes}) => [...removedNodes]);
            window.moved.push(...removed.filter((node) => node.isConnected).map(({dataset}) => dataset.offset));
        }).observe(document.querySelector('[data-log="pageviews-0"] [data-part="records"]'), {childList: true});
    }""")
    stage.command("produce", records=[{"key": "user-17", "value": "/home" * 30}] * 30)
    expect(stage.fact("events-appended")).to_have_text("72")
    stage.settled()
    assert stage.offsets(partition)[0] > oldest
    assert stage.page.evaluate("window.moved") == []


def test_labels_are_left_out_where_many_marks_move_at_once(stage: Stage) -> None:
    stage.open()
    shown = stage.page.evaluate("""async (crowds) => {
        const {paintFlights} = await import("/static/js/view/flights.js");
        const layer = document.createElement("div");
        layer.className = "flights";
        document.querySelector("[data-stage]").append(layer);
        const mark = {kind: "ack", x: 5, y: 5, width: 0, cells: 0, detail: "", group: "", idle: false};
        return crowds.map(([count, label, moves]) => {
            const marks = Array.from({length: count}, (_, index) => ({...mark, label, key: `ack:${index}`}));
            paintFlights(layer, marks, {moves, indexOf: () => 0});
            const words = layer.querySelector(".flight-label");
            return words.checkVisibility() && words.textContent;
        });
    }""", [[3, "a", True], [47, "b", True], [48, "c", True], [36, "d", True], [36, "e", False], [36, "f", True],
           [35, "f", True], [40, "g", True]])  # fmt: skip
    assert shown == ["a", "b", False, False, "e", False, "f", "g"]


def test_focus_stays_on_a_control_while_everything_around_it_changes(stage: Stage) -> None:
    stage.open().at_speed(8)
    crash = stage.consumer("Metrics A").get_by_role("button", name="Crash")
    stage.focus(crash)
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
