"""Marks in flight: their labels, and what they must not cover."""

from playwright.sync_api import expect

from tests.browser.pages.stage import Stage

COVERED = """() => new Promise((resolve) => {
    const text = (node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return range.getBoundingClientRect();
    };
    const names = [...document.querySelectorAll('.row-name, [data-part="owner-name"], .consumer-name')];
    const covered = new Set();
    let frames = 0;
    const look = () => {
        const marks = document.querySelectorAll(
            '.flight:is([data-kind="fetch"], [data-kind="answer"]):not([data-idle="true"])');
        if (marks.length) frames += 1;
        for (const mark of marks) for (const part of mark.querySelectorAll(".load, .flight-label")) {
            const [one, style] = [part.getBoundingClientRect(), getComputedStyle(part)];
            if (style.visibility === "hidden" || style.display === "none") continue;
            for (const name of names) {
                const two = text(name);
                const [x, y] = [Math.min(one.right, two.right) - Math.max(one.left, two.left),
                    Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top)];
                if (x > 4 && y > two.height / 2) covered.add(`${part.className} on ${name.textContent}`);
            }
        }
        if (frames < 120) requestAnimationFrame(look);
        else resolve([...covered]);
    };
    look();
})"""


def test_a_fetch_in_flight_covers_no_name(stage: Stage) -> None:
    stage.open()
    stage.command("set_producer", rate_per_second=2)  # there is always something to fetch
    stage.batch_send.click()
    expect(stage.flights("fetch").first).to_be_attached()
    assert stage.page.evaluate(COVERED) == []
