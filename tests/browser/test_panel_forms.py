"""Forms of the inspector: they show changes made elsewhere, and never overwrite what is being typed."""

from playwright.sync_api import Locator, Route, expect

from tests.browser.pages.stage import METRICS, Stage


def producer_settings(stage: Stage) -> Locator:
    stage.page.locator('[data-part="producer"] [data-panel][href$="/producer"]').click()
    form = stage.inspector.locator("form.settings")
    expect(form.get_by_label("messages per second")).to_be_visible()
    return form


def test_input_in_one_form_stays_after_the_response_to_another(stage: Stage) -> None:
    stage.open().at_speed(0.25)
    stage.group(METRICS).get_by_role("link", name=METRICS).click()
    bookmark = stage.inspector.get_by_role("form", name="a bookmark by time")
    bookmark.get_by_label("partition").select_option("p1")
    bookmark.get_by_label("time, s").fill("0")
    one = stage.inspector.get_by_role("form", name="a consumer")
    one.get_by_label("name").fill("Night shift")
    one.get_by_role("button").click()
    expect(one.get_by_label("name")).to_have_value("")  # the panel has been read again
    expect(bookmark.get_by_label("partition")).to_have_value("1")
    expect(bookmark.get_by_label("time, s")).to_have_value("0")
    bookmark.get_by_role("button").click()
    expect(stage.bookmark(1)).to_have_attribute("data-offset", "0")
    expect(bookmark.get_by_label("partition")).to_have_value("0")


def test_settings_changed_elsewhere_are_shown_without_overwriting_input(stage: Stage) -> None:
    stage.open().pause_time()
    form = producer_settings(stage)
    stage.command("set_producer", rate_per_second=3, compression="gzip")
    expect(form.get_by_label("messages per second")).to_have_value("3")
    expect(form.get_by_label("compression")).to_have_value("gzip")
    form.get_by_label("linger, ms").fill("250")
    stage.command("set_producer", rate_per_second=7)
    stage.command("set_producer", rate_per_second=4)
    stage.settled()
    expect(form.get_by_label("linger, ms")).to_have_value("250")
    expect(form.get_by_label("messages per second")).to_have_value("3")
    form.get_by_role("button", name="Apply").click()
    expect(stage.outcome).to_be_visible()
    stage.command("set_producer", rate_per_second=9)
    expect(form.get_by_label("messages per second")).to_have_value("9")
    expect(form.get_by_label("linger, ms")).to_have_value("250")


def test_input_made_before_the_response_arrives_stays(stage: Stage) -> None:
    stage.open()
    form = producer_settings(stage)
    form.get_by_label("linger, ms").fill("250")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    stage.page.route("**/controls/set_producer", hold)
    with stage.page.expect_request("**/controls/set_producer"):
        form.get_by_role("button", name="Apply").click()
    form.get_by_label("messages in a batch").fill("7")
    held[0].continue_()
    stage.page.unroute("**/controls/set_producer")
    expect(stage.outcome).to_have_attribute("data-ok", "true")
    stage.pause_time()
    stage.command("set_producer", rate_per_second=2)
    stage.settled()
    expect(form.get_by_label("messages in a batch")).to_have_value("7")


def test_a_consumer_paused_in_the_inspector_can_be_resumed_there(stage: Stage) -> None:
    stage.open()
    stage.consumer("Metrics A").get_by_role("link", name="Settings").click()
    stage.inspector.get_by_role("button", name="Pause its work").click()
    expect(stage.consumer("Metrics A").locator(".consumer-state")).to_contain_text("paused")
    stage.inspector.get_by_role("button", name="Resume its work").click()
    expect(stage.inspector.get_by_role("button", name="Pause its work")).to_be_visible()
    expect(stage.consumer("Metrics A").locator(".consumer-state")).not_to_contain_text("paused")


def test_repair_buttons_appear_and_disappear_beside_a_half_filled_form(stage: Stage) -> None:
    stage.open()
    stage.broker(1).get_by_role("link", name="Break").click()
    form = stage.inspector.get_by_role("form", name="a fault of the link")
    form.get_by_label("loses, %").fill("30")
    for other in ("broker:2", "producer"):
        stage.command("set_link", **{"from": "broker:1", "to": other, "cut": True})
    repairs = stage.inspector.locator(".troubles").get_by_role("button", name="Repair")
    expect(repairs).to_have_count(2)
    expect(stage.inspector.get_by_role("button", name="Repair them all")).to_be_visible()
    expect(form.get_by_label("loses, %")).to_have_value("30")
    stage.inspector.get_by_role("button", name="Repair them all").click()
    expect(repairs).to_have_count(0)
    expect(form.get_by_label("loses, %")).to_have_value("30")


def first_held(stage: Stage) -> list[Route]:
    """Hold the next request for a panel; return a list that gets its route."""
    under_way: list[Route] = []

    def hold(route: Route) -> None:
        if under_way:
            route.continue_()
        else:
            under_way.append(route)

    stage.page.route("**/panels/**", hold)
    return under_way


def test_of_several_panels_opened_during_a_request_the_last_is_shown(stage: Stage) -> None:
    stage.open().pause_time()
    producer_settings(stage)
    under_way = first_held(stage)
    for name in ("Metrics A", "Metrics B", "Metrics C"):
        stage.consumer(name).get_by_role("link", name="Settings").click()
        while not under_way:
            stage.page.evaluate("() => new Promise(requestAnimationFrame)")
    under_way[0].continue_()
    expect(stage.inspector.locator("h2")).to_have_text("Metrics C")
