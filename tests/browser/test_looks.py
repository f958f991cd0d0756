"""The colours and patterns of consumers: each consumer keeps its own."""

from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, Stage

EDGES = """(nodes) => nodes.map((node) => getComputedStyle(node))
    .map((style) => `${style.getPropertyValue("--pattern")} ${style.getPropertyValue("--shade")}`)"""


def looks(stage: Stage) -> dict[str, str]:
    cards = (
        stage.group(METRICS)
        .locator(".consumer")
        .evaluate_all("(nodes) => nodes.map((node) => [node.dataset.consumer, node.dataset.consumerIndex])")
    )
    return dict(cards)


def test_consumers_keep_their_colours_when_another_is_removed(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.command("add_consumer", group=METRICS, consumer="plain name")
    stage.settled()
    before = looks(stage)
    assert len(set(before.values())) == 4
    stage.press("Metrics A", "Stop")
    expect(stage.consumer("Metrics A")).to_have_attribute("data-state", "closed")
    stage.press("Metrics A", "Remove")
    expect(stage.consumer("Metrics A")).to_have_count(0)
    stage.settled()
    after = looks(stage)
    assert after == {name: look for name, look in before.items() if name != "Metrics A"}
    for partition, owner in enumerate(stage.owners()):
        expect(stage.owner(partition)).to_have_attribute("data-consumer-index", after[owner])
        expect(stage.ribbon(partition)).to_have_attribute("data-consumer-index", after[owner])


def test_the_server_draws_consumers_in_the_same_colours(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.command("add_consumer", group=METRICS, consumer="plain name")
    stage.command("add_consumer", group=METRICS, consumer="\u00fcber")
    for letter in "EFG":
        stage.command("add_consumer", group=METRICS, consumer=f"Metrics {letter}")
    stage.settled()
    drawn = looks(stage)
    assert sorted(list(drawn.values())[:4]) == ["0", "1", "2", "3"], "a shade is used twice while another is free"
    assert len(set(stage.group(METRICS).locator(".consumer").evaluate_all(EDGES))) == len(drawn) == 8
    stage.page.route("**/js/main.js", lambda route: route.abort())
    stage.page.goto(f"{stage.base_url}/rooms/{stage.room}")
    assert looks(stage) == drawn
