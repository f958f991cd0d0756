"""Fetching, committing, and moving a bookmark by hand."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage


def test_a_fetch_is_sent_and_answered_and_the_fetch_position_moves(stage: Stage) -> None:
    stage.open()
    stage.step_until(stage.flights("fetch").filter(has_text="from 215"))
    stage.step_until(stage.flights("answer").filter(has_text="645 B"))
    hollow = stage.partition(0).locator(f'[data-group="{METRICS}"] .fetch-position')
    stage.step_until(hollow.filter(visible=True))
    expect(hollow).to_contain_text("860")
    expect(stage.bookmark(0)).to_have_attribute("data-offset", "215")


def test_a_commit_moves_the_bookmark(stage: Stage) -> None:
    stage.open().at_speed(8).resume_time()
    expect(stage.bookmark(0)).to_have_attribute("data-offset", "860")
    expect(stage.bookmark(1)).to_have_attribute("data-offset", "752")
    expect(stage.bookmark(2)).to_have_attribute("data-offset", "816")
    assert {one["committed_offset"] for one in stage.facts()["groups"][0]["partitions"]} == {860, 752, 816}


def test_two_groups_read_the_same_topic_each_at_its_own_pace(stage: Stage) -> None:
    stage.open().at_speed(8).resume_time()
    expect(stage.bookmark(0, METRICS)).to_have_attribute("data-offset", "860")
    warehouse = stage.facts()["groups"][1]
    assert warehouse["group"] == WAREHOUSE
    expect(stage.bookmark(0, WAREHOUSE)).to_have_attribute("data-offset", "860")
    expect(stage.bookmark(1, WAREHOUSE)).to_have_attribute("data-offset", "752")
    expect(stage.bookmark(2, WAREHOUSE)).to_have_attribute("data-offset", "816")
    expect(stage.group(WAREHOUSE).locator(".group-behind")).to_have_text("0 B behind")


def test_the_place_of_a_flight_depends_only_on_the_drawn_time(stage: Stage) -> None:
    """Two pages that draw the same instant draw the flight at the same place, whatever their wall clocks did before."""
    stage.open().at_speed(0.1)
    stage.batch_send.click()
    expect(stage.flights("batch")).to_have_count(1)
    stage.command("clock", action="pause")
    stage.settled()
    place = "(node) => node.style.transform"
    first = stage.flights("batch").evaluate(place)
    stage.open()
    assert stage.flights("batch").evaluate(place) == first
    stage.step.click()
    stage.settled()
    assert stage.flights("batch").evaluate(place) != first


@pytest.mark.parametrize("offset", [0, 645])
def test_dragging_a_bookmark_to_a_message_seeks(stage: Stage, offset: int) -> None:
    stage.open().pause_time()
    stage.drag_bookmark(0, offset)
    expect(stage.outcome).to_have_attribute("data-command", "seek")
    stage.step_until(stage.bookmark_at(0, offset))
    assert stage.facts()["groups"][0]["partitions"][0]["committed_offset"] == offset


def test_after_a_seek_back_the_messages_are_delivered_again(stage: Stage) -> None:
    stage.open().at_speed(8).resume_time()
    expect(stage.bookmark(0)).to_have_attribute("data-offset", "860")
    stage.command("clock", action="pause")
    stage.drag_bookmark(0, 215)
    expect(stage.outcome).to_have_attribute("data-command", "seek")
    stage.step_until(stage.flights("fetch").filter(has_text=re.compile(r"from 215")))
    stage.resume_time()
    expect(stage.bookmark(0)).to_have_attribute("data-offset", "860")


def test_arrow_keys_move_a_bookmark_and_enter_seeks(stage: Stage) -> None:
    stage.open().pause_time()
    bookmark = stage.bookmark(0)
    stage.focus(bookmark)
    expect(bookmark).to_have_attribute("aria-valuetext", "offset 215 of 860")
    stage.page.keyboard.press("ArrowRight")
    expect(bookmark).to_have_attribute("aria-valuenow", "430")
    expect(bookmark).to_have_attribute("data-offset", "215")
    stage.page.keyboard.press("End")
    expect(bookmark).to_have_attribute("aria-valuenow", "860")
    stage.page.keyboard.press("Home")
    expect(bookmark).to_have_attribute("aria-valuenow", "0")
    stage.page.keyboard.press("Enter")
    expect(stage.outcome).to_have_attribute("data-command", "seek")
    stage.step_until(stage.bookmark_at(0, 0))
    assert stage.facts()["groups"][0]["partitions"][0]["committed_offset"] == 0


def test_escape_returns_a_bookmark_to_its_place(stage: Stage) -> None:
    stage.open()
    bookmark = stage.bookmark(1)
    stage.focus(bookmark)
    stage.page.keyboard.press("ArrowLeft")
    expect(bookmark).to_have_attribute("aria-valuenow", "0")
    stage.page.keyboard.press("Escape")
    expect(bookmark).to_have_attribute("aria-valuenow", "188")
    stage.page.keyboard.press("Tab")
    assert stage.facts()["groups"][0]["partitions"][1]["committed_offset"] == 188
    expect(stage.root).to_have_attribute("data-standing", "true")


def test_the_settings_of_a_consumer_can_be_changed(stage: Stage) -> None:
    stage.open()
    stage.consumer("Metrics A").get_by_role("link", name="Settings").click()
    stage.inspector.get_by_label("messages per second").fill("50")
    stage.inspector.get_by_role("button", name="Apply").click()
    expect(stage.consumer("Metrics A")).to_contain_text("50 messages/s")
    expect(stage.consumer("Metrics B")).to_contain_text("2 messages/s")
