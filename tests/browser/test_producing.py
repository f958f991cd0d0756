"""Producing: a batch lands at the offset of the next append, and a key always leads to the same partition."""

from playwright.sync_api import expect

from tests.browser.pages.stage import Stage


def test_a_batch_travels_and_lands_and_the_tape_grows_by_its_bytes(stage: Stage) -> None:
    stage.open().at_speed(0.1)
    stage.batch_send.click()
    expect(stage.fact("next-append")).to_have_text("p1")
    expect(stage.flights("batch")).to_have_count(1)
    expect(stage.fact("events-appended")).to_have_text("12")
    stage.at_speed(4)
    expect(stage.fact("events-appended")).to_have_text("15")
    expect(stage.flights("batch")).to_have_count(0)
    expect(stage.record(0, 860)).to_be_visible()
    partition = stage.facts()["topics"][0]["partitions"][0]
    assert stage.offsets(0) == partition["message_offsets"]
    assert partition["segments"][0]["bytes"] == partition["next_offset"]
    expect(stage.partition(0).locator(".tape-end")).to_contain_text(str(partition["next_offset"]))


def test_batches_without_a_key_are_spread_over_the_partitions(stage: Stage) -> None:
    stage.open().at_speed(16)
    for partition in (0, 1, 2, 0):
        expect(stage.fact("next-append")).to_have_text(f"p{partition}")
        stage.batch_send.click()
        expect(stage.fact("next-append")).to_have_text(f"p{(partition + 1) % 3}")
    expect(stage.fact("events-appended")).to_have_text("24")


def test_the_same_key_always_lands_on_the_same_partition(stage: Stage) -> None:
    stage.open().at_speed(16)
    landed = set()
    for number in range(3):
        before = [len(stage.offsets(partition)) for partition in range(3)]
        stage.send_keyed("user-42", f"/page/{number}")
        expect(stage.fact("events-appended")).to_have_text(str(13 + number))
        after = [len(stage.offsets(partition)) for partition in range(3)]
        landed.add(next(partition for partition in range(3) if after[partition] > before[partition]))
    assert len(landed) == 1
    expect(stage.fact("next-append")).to_have_text("p0")


def test_the_narration_says_that_a_key_hashes_to_its_partition(stage: Stage) -> None:
    stage.open()
    stage.send_keyed("user-42", "/home")
    stage.has_announced("The key user-42 hashes to p")


def test_unflushed_bytes_are_hatched_until_they_are_flushed(stage: Stage) -> None:
    stage.open().pause_time()
    stage.batch_send.click()
    stage.step_until(stage.record(0, 860))
    expect(stage.record(0, 860)).to_have_attribute("data-flushed", "false")
    expect(stage.partition(0).locator(".unflushed")).to_be_visible()
    stage.at_speed(4).resume_time()
    expect(stage.record(0, 860)).to_have_attribute("data-flushed", "true")
    expect(stage.partition(0).locator(".unflushed")).to_be_hidden()


def test_a_compressed_batch_is_smaller_on_the_wire_and_on_disk(stage: Stage) -> None:
    stage.open().pause_time()
    stage.command("produce", count=9)
    plain_width = stage.flights("batch").locator(".load").bounding_box()
    stage.step_until(stage.record(0, 860))
    expect(stage.flights("batch")).to_have_count(0)
    stage.command("set_producer", compression="gzip")
    stage.command("produce", count=9)
    packed_width = stage.flights("batch").locator(".load").bounding_box()
    assert plain_width
    assert packed_width
    assert packed_width["width"] < plain_width["width"]
    stage.step_until(stage.record(1, 752))
    expect(stage.record(1, 752)).to_contain_text("9 messages")


def test_the_inspector_shows_a_message_byte_by_byte(stage: Stage) -> None:
    stage.open()
    stage.record(1, 376).get_by_role("link").click()
    expect(stage.inspector).to_contain_text("p1 at offset 376")
    expect(stage.inspector).to_contain_text("fits the payload")
    shown = stage.inspector.locator(".hex").inner_text().split()
    log = stage.page.request.get(f"{stage.base_url}/api/rooms/{stage.room}/log/pageviews/1?offset=376&max_bytes=188")
    assert "".join(shown) == log.body().hex()
    expect(stage.record(1, 376).get_by_role("link")).to_have_attribute("aria-current", "true")
    stage.record(0, 215).get_by_role("link").click()
    expect(stage.inspector).to_contain_text("p0 at offset 215")
    expect(stage.page.locator("[aria-current]")).to_have_count(1)
    expect(stage.record(0, 215).get_by_role("link")).to_have_attribute("aria-current", "true")
    stage.page.keyboard.press("Escape")
    expect(stage.inspector).to_be_hidden()
    expect(stage.page.locator("[aria-current]")).to_have_count(0)


def test_a_new_segment_file_begins_when_the_last_is_full(stage: Stage) -> None:
    stage.open().at_speed(16)
    for _ in range(3):
        stage.command("produce", count=9)
        stage.command("produce", count=1)
        stage.command("produce", count=1)
    expect(stage.fact("events-appended")).to_have_text("45")
    stage.settled()
    files = [segment["file"] for segment in stage.facts()["topics"][0]["partitions"][0]["segments"]]
    assert len(files) > 1
    expect(stage.partition(0).locator(".segment")).to_have_count(len(files))
    expect(stage.partition(0).locator(".segment-file").last).to_have_text(files[-1])


def test_an_invalid_command_is_answered_with_a_remedy(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_role("link", name="Settings").first.click()
    batch = stage.inspector.get_by_label("messages in a batch")
    batch.fill("5000")
    stage.inspector.get_by_role("button", name="Apply").click()
    expect(stage.outcome).to_have_attribute("data-ok", "false")
    expect(batch).to_be_focused()
    expect(batch).to_have_attribute("aria-invalid", "true")
    refused = "messages in a batch cannot be 5000: give a whole number from 1 to 1000"
    expect(batch).to_have_accessible_description(refused)
    expect(stage.inspector.get_by_text(refused)).to_be_visible()
    expect(stage.outcome).to_contain_text("messages in a batch")
    batch.fill("5")
    expect(batch).not_to_have_attribute("aria-invalid", "true")
    expect(stage.inspector.get_by_text(refused)).to_have_count(0)
    stage.inspector.get_by_role("button", name="Apply").click()
    expect(stage.outcome).to_have_attribute("data-ok", "true")
    expect(stage.page.locator('[data-of="batch"]')).to_have_text("5 messages")
