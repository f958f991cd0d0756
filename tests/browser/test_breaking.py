"""Faults from the page: forms in the inspector, marks on the stage, and refusals at their forms."""

from playwright.sync_api import Locator, expect

from tests.browser.pages.stage import METRICS, Stage

METRICS_B = f"consumer:{METRICS}/Metrics B"


def open_faults(stage: Stage, card: Locator, party: str) -> None:
    card.get_by_role("link", name="Break").click()
    expect(stage.inspector.get_by_role("heading", name="Break something")).to_be_visible()
    expect(stage.inspector.locator(".panel-note").first).to_have_text(party)  # and not the party of the former panel


def test_a_link_is_selected_on_the_stage_cut_drawn_and_repaired_with_one_click(stage: Stage) -> None:
    stage.open()
    open_faults(stage, stage.broker(2), "broker 2")
    stage.inspector.get_by_role("button", name="pick it on the stage").click()
    stage.consumer("Metrics B").locator(".consumer-name").click()
    expect(stage.inspector.get_by_label("the other party")).to_have_value(METRICS_B)
    stage.inspector.get_by_role("button", name="Apply to the link").click()
    expect(stage.panel_outcome).to_contain_text("The link between")
    expect(stage.inspector.locator(".troubles")).to_contain_text("no link to Metrics B")
    stage.close_inspector()
    mark = stage.broken_link("broker:2", METRICS_B)
    expect(mark).to_contain_text("no link to")
    mark.get_by_role("button", name="repair").click()
    expect(mark).to_have_count(0)
    expect(stage.broker(2).locator(".broker-state")).to_have_text("")


def test_the_keyboard_opens_the_menu_and_escape_cancels_the_selection_before_it_closes(stage: Stage) -> None:
    stage.open()
    link = stage.consumer("Metrics A").get_by_role("link", name="Break")
    stage.focus(link)
    stage.page.keyboard.press("Enter")
    stage.inspector.get_by_role("button", name="pick it on the stage").press("Enter")
    expect(stage.root).to_have_attribute("data-picking", "true")
    stage.page.keyboard.press("Escape")
    expect(stage.root).not_to_have_attribute("data-picking", "true")
    expect(stage.inspector).to_be_visible()
    stage.page.keyboard.press("Escape")
    expect(stage.inspector).to_be_hidden()
    expect(link).to_be_focused()


def test_a_disk_is_made_slow_and_repaired(stage: Stage) -> None:
    stage.open()
    open_faults(stage, stage.broker(1), "broker 1")
    stage.inspector.get_by_role("button", name="Apply to the disk").click()
    expect(stage.broker(1).locator(".broker-state")).to_have_text("disk slow: 3.0 s a batch")
    stage.inspector.locator(".troubles").get_by_role("button", name="Repair").click()
    expect(stage.broker(1).locator(".broker-state")).to_have_text("")
    expect(stage.inspector.locator(".troubles")).to_have_count(0)


def test_a_consumer_is_frozen_and_its_session_expired(stage: Stage) -> None:
    stage.open().resume_time()
    open_faults(stage, stage.consumer("Metrics C"), "Metrics C")
    stage.inspector.get_by_role("button", name="Suspend it").click()
    expect(stage.consumer("Metrics C").locator(".consumer-state")).to_have_text("suspended")
    open_faults(stage, stage.consumer("Metrics A"), "Metrics A")
    stage.inspector.get_by_role("button", name="End its session").click()
    expect(stage.panel_outcome).to_contain_text("The registry ends the session")
    expect(stage.owner(0)).not_to_have_attribute("data-consumer", "Metrics A")


def test_a_refusal_is_shown_as_a_sentence_at_its_form(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_role("link", name="Add a topic").click()
    form = stage.inspector.get_by_label("a topic")
    form.get_by_label("name").fill("pageviews")
    form.get_by_role("button").click()
    expect(form.get_by_label("name")).to_have_accessible_description("topic pageviews exists: choose another name")
    expect(stage.panel_outcome).to_contain_text("topic pageviews exists")
    expect(stage.panel_outcome).to_contain_text("choose another name")
    expect(stage.outcome).to_have_count(0)
    form.get_by_label("name").fill("two words")
    form.get_by_role("button").click()
    expect(form.locator(".field-fault")).to_contain_text("“two words” cannot be a topic: use 1 to")


def test_a_group_gets_a_consumer_of_a_chosen_name_and_seeks_back_in_time(stage: Stage) -> None:
    stage.open().at_speed(0.25)
    stage.group(METRICS).get_by_role("link", name=METRICS).click()
    one = stage.inspector.get_by_role("form", name="a consumer")
    one.get_by_label("name").fill("Metrics A")
    one.get_by_label("streams").fill("2")
    one.get_by_role("button").click()
    expect(one.get_by_label("name")).to_have_accessible_description("“Metrics A” is alive: choose another name")
    one.get_by_label("name").fill("Night shift")
    one.get_by_role("button").click()
    expect(stage.consumer("Night shift")).to_be_visible()
    expect(one.get_by_label("name")).to_have_value("")
    bookmark = stage.inspector.get_by_role("form", name="a bookmark by time")
    bookmark.get_by_label("partition").select_option("p1")
    bookmark.get_by_label("time, s").fill("0")
    bookmark.get_by_role("button").click()
    expect(stage.bookmark(1)).to_have_attribute("data-offset", "0")
    bookmark.get_by_label("time, s").fill("5000000")
    bookmark.get_by_role("button").click()
    refused = "time, s cannot be 5000000: give a number from 0 to 999999"
    expect(bookmark.get_by_label("time, s")).to_have_accessible_description(refused)


def test_topics_brokers_and_groups_are_added_and_tapes_are_labelled_with_their_topics(stage: Stage) -> None:
    stage.open()
    expect(stage.page.locator(".partition-topic").first).to_be_hidden()
    stage.page.get_by_role("link", name="Add a topic").click()
    topic = stage.inspector.get_by_label("a topic")
    topic.get_by_label("name").fill("clicks")
    topic.get_by_role("button").click()
    expect(stage.partition(2, "clicks")).to_be_visible()
    expect(stage.partition(2, "clicks").locator(".partition-topic")).to_have_text("clicks")
    expect(stage.partition(0).locator(".partition-topic")).to_be_visible()
    expect(stage.rows(0, "clicks")).to_have_count(0)
    group = stage.inspector.get_by_label("a consumer group")
    expect(
        group.get_by_label("reads").locator("option", has_text="clicks")
    ).to_be_attached()  # the panel was read again
    group.get_by_label("name").fill("Counting")
    group.get_by_label("reads").select_option("clicks")
    group.get_by_role("button").click()
    expect(stage.rows(0, "clicks")).to_have_count(1)
    expect(stage.rows(0)).to_have_count(2)
    stage.inspector.get_by_role("button", name="Add a broker").click()
    expect(stage.broker(4)).to_be_visible()


def test_a_byte_is_flipped_from_the_hex_view_and_back(stage: Stage) -> None:
    stage.open()
    stage.record(0, 430).locator(".cell").click()
    stage.inspector.get_by_role("button", name="Flip the byte").click()
    expect(stage.inspector.locator(".crc")).to_have_text("does not fit the payload")
    stage.has_announced("flipped on disk")
    stage.inspector.get_by_role("button", name="Flip it back").click()
    expect(stage.inspector.locator(".crc")).to_have_text("fits the payload")


def test_a_spectator_gets_no_controls_for_faults(stage: Stage) -> None:
    stage.open()
    room = stage.room
    stage.page.context.clear_cookies()
    stage.open(f"/rooms/{room}")
    expect(stage.broker(1).get_by_role("link", name="Break")).to_be_hidden()
    expect(stage.page.get_by_role("link", name="Add a topic")).to_be_hidden()


def test_a_reset_is_announced(stage: Stage) -> None:
    stage.open()
    stage.batch_send.click()
    stage.has_announced("sends 3 messages")
    stage.page.get_by_role("button", name="reset").click()
    stage.has_announced("The room was reset")
