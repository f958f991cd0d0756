"""The inspector while the page shows the past: it shows the past too, or says that it cannot."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, Stage


@pytest.fixture
def changed(stage: Stage) -> Stage:
    """A paused room at 0 in which the producer and Metrics A had other settings first; three messages were sent."""
    stage.open("/").pause_time()
    stage.command("produce", count=3)
    while stage.command("clock", action="step")["applied_at_us"] < 1_500_000:
        pass
    stage.command("set_producer", batch_messages=7, compression="gzip")
    stage.command("set_consumer", group=METRICS, consumer="Metrics A", fetch_bytes=2048)
    stage.command("clock", action="step")
    stage.settled()
    return stage


def open_settings(stage: Stage, of: str) -> None:
    stage.page.locator(f'a[data-panel][href*="{of}"]').first.click()
    expect(stage.inspector.locator("h2")).to_be_visible()


def field(stage: Stage, name: str) -> Any:
    return stage.inspector.locator(f'[name="{name}"]:not([type="hidden"])')


def test_settings_are_those_of_the_displayed_moment_and_cannot_be_changed(changed: Stage) -> None:
    open_settings(changed, "panels/producer")
    expect(field(changed, "batch_messages")).to_have_value("7")
    changed.scrub_to(0)
    expect(field(changed, "batch_messages")).to_have_value("3")
    expect(field(changed, "compression")).to_have_value("none")
    expect(field(changed, "batch_messages")).to_be_disabled()
    expect(changed.inspector).to_contain_text("only the present can be changed")
    changed.live.click()
    expect(field(changed, "batch_messages")).to_have_value("7")
    expect(field(changed, "batch_messages")).to_be_enabled()


def test_the_settings_of_a_consumer_are_those_of_the_displayed_moment(changed: Stage) -> None:
    open_settings(changed, "panels/consumer")
    expect(field(changed, "fetch_bytes")).to_have_value("2048")
    changed.scrub_to(0)
    expect(field(changed, "fetch_bytes")).to_have_value("1024")
    expect(changed.inspector.locator("h2")).to_have_text("Metrics A")


def test_a_party_that_did_not_exist_yet_has_no_settings(changed: Stage) -> None:
    changed.command("add_consumer", group=METRICS, consumer="Metrics D")
    changed.consumer("Metrics D").get_by_role("link", name="Settings").click()
    expect(changed.inspector.locator("h2")).to_have_text("Metrics D")
    changed.scrub_to(0)
    expect(changed.inspector).to_contain_text("There was no Metrics D in Real-time metrics at this moment.")


def test_the_registry_and_its_watches_are_those_of_the_displayed_moment(changed: Stage) -> None:
    ids = changed.node(f"/consumers/{METRICS}/ids")
    expect(ids.locator(".node-watch").first).to_contain_text("3 watch it")
    expect(ids).to_have_attribute("title", "watched by Metrics A, Metrics B, Metrics C")
    changed.command("add_consumer", group=METRICS, consumer="Metrics D")
    changed.resume_time().at_speed(8)
    expect(changed.node(f"/consumers/{METRICS}/ids/Metrics D")).to_be_attached()
    expect(ids.locator(".node-watch").first).to_contain_text("4 watch it", timeout=20_000)
    changed.command("clock", action="pause")
    changed.scrub_to(0)
    expect(changed.node(f"/consumers/{METRICS}/ids/Metrics D")).to_have_count(0)
    expect(ids.locator(".node-watch").first).to_contain_text("3 watch it")


def test_unchanged_bytes_are_shown_as_the_bytes_of_the_past(changed: Stage) -> None:
    changed.scrub_to(1_000)
    changed.record(0, 215).locator("a").click()
    expect(changed.inspector).to_contain_text("nothing has changed them since")
    expect(changed.inspector.locator(".crc")).to_have_text("fits the payload")


def test_bytes_lost_in_a_crash_are_reported_with_the_time_of_the_loss(stage: Stage) -> None:
    stage.open("/").pause_time()
    stage.command("produce", records=[{"value": "soon lost"}])
    while stage.facts()["topics"][0]["partitions"][0]["next_offset"] == 860:
        stage.command("clock", action="step")
    # All events of an instant are drawn together: the message is only visible if the crash is at a later instant.
    stage.command("clock", action="step")
    assert stage.facts()["topics"][0]["partitions"][0]["flushed_offset"] == 860
    stage.command("crash_broker", broker=1)
    stage.command("start_broker", broker=1)
    stage.command("clock", action="step")
    stage.command("clock", action="step")
    stage.step_back.click()
    stage.settled()
    while stage.record(0, 860).count() == 0:
        stage.step_back.click()
        stage.settled()
    stage.record(0, 860).locator("a").click()
    expect(stage.inspector.locator('[data-fate="cut"]')).to_contain_text("These bytes are gone")
    expect(stage.inspector.locator(".hex")).to_have_count(0)


def test_after_a_reset_earlier_bytes_are_reported_as_gone(changed: Stage) -> None:
    changed.command("reset")
    changed.settled()
    changed.step_back.click()
    changed.settled()
    changed.record(0, 215).locator("a").click()
    expect(changed.inspector.locator('[data-fate="reset"]')).to_contain_text("the room was reset at")


def test_a_byte_flipped_later_is_reported(changed: Stage) -> None:
    changed.command("corrupt", topic="pageviews", partition=0, offset=215)
    changed.scrub_to(1_000)
    changed.record(0, 215).locator("a").click()
    expect(changed.inspector.locator('[data-fate="flipped"]')).to_contain_text("One byte was flipped")
    expect(changed.inspector.locator(".crc")).to_have_text("does not fit the payload")


def test_the_files_of_a_log_are_those_of_the_displayed_moment(changed: Stage) -> None:
    changed.record(0, 215).locator("a").click()
    changed.inspector.get_by_role("link", name="Files of this log").click()
    rows = changed.inspector.locator("tbody tr")
    segments = changed.facts()["topics"][0]["partitions"][0]["segments"]
    expect(rows).to_have_count(len(segments))
    expect(rows.last).to_contain_text(f"{segments[-1]['bytes']:,} B")
    changed.scrub_to(0)
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("860 B")
    expect(changed.inspector).to_contain_text("Readers see up to 860; the next append goes to 860.")


def test_the_api_panel_shows_request_and_response_and_only_for_the_present(changed: Stage) -> None:
    open_settings(changed, "panels/consumer")
    changed.inspector.get_by_role("link", name="What the API says").click()
    expect(changed.inspector.locator(".request")).to_have_text(f"curl -s {changed.base_url}/api/rooms/{changed.room}")
    expect(changed.inspector.locator(".answer")).to_contain_text('"consumer": "Metrics A"')
    changed.scrub_to(0)
    expect(changed.inspector).to_contain_text("The API describes only the present")
