"""Digests folded in the browser: a series of them ends with the exact state, and events continue from there."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ServerProcess
from tests.webapp.room.rooms_by_hand import new_room
from tests.webapp.support import HandClock, act, run_ms
from webapp.room.room import Room

FOLD = """async ({address, frames}) => {
    const { History } = await import(`${address}/state/history.js`);
    const history = new History(frames[0].events[0].state);
    let [summaries, exact, compared, differences] = [0, 0, 0, []];
    for (const [index, {events, next, digest}] of frames.entries()) {
        const checkpoint = events.find(({event}, at) => event === "checkpoint" && index + at > 0);
        if (digest) {
            history.foldDigest(digest, next, false);
            if (history.newest.summary) summaries += 1; else exact += 1;
        } else history.fold(events, next, index === 0);
        if (!checkpoint || !exact) continue;
        compared += 1;
        const [here, there] = [history.newest.state, checkpoint.state];
        for (const part of Object.keys(there)) {
            const [one, two] = [here[part], there[part]].map((value) => JSON.stringify(value, (_, inside) =>
                inside && typeof inside === "object" && !Array.isArray(inside)
                    ? Object.fromEntries(Object.entries(inside).sort()) : inside));
            if (one !== two) differences.push(part);
        }
    }
    return {summaries, exact, compared, differences};
}"""


def read(room: Room, offset: int) -> list[dict[str, Any]]:
    """Return what the feed would send to a reader at ``offset`` who accepts digests; frames end after a checkpoint."""
    if room.is_digested(offset):
        digest = room.digest_after(offset)
        content = json.loads(digest.body) if digest.body else {}
        return [{"next": digest.next_offset, "events": [], "digest": content}] if content else []
    chunk = room.read_journal(offset, 1 << 26)
    frames: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    position = offset
    for payload in chunk.payloads:
        events.append(json.loads(payload))
        position += 9 + len(payload)
        if events[-1]["event"] == "checkpoint":
            frames.append({"next": position, "events": events})
            events = []
    return [*frames, {"next": position, "events": events}] if events else frames


def frames_of(room: Room, clock: HandClock) -> Iterator[dict[str, Any]]:
    offset = 0
    for number in itertools.count():
        for frame in read(room, offset):
            offset = frame["next"]
            yield frame
        if number == 50:
            act(room, "set_producer", rate_per_second=4_000, batch_messages=20)
        if number == 150:
            act(room, "crash_consumer", group="Real-time metrics", consumer="Metrics A")
        if number == 250:
            act(room, "set_producer", rate_per_second=40, batch_messages=3)
        if number > 900:
            return
        run_ms(room, clock, 40)


@pytest.mark.slow
def test_the_folded_state_is_exact_after_a_series_of_digests(page: Page, server: ServerProcess, tmp_path: Path) -> None:
    clock = HandClock()
    frames = list(frames_of(new_room(tmp_path, clock), clock))
    page.goto(f"{server.base_url}/healthz")
    result = page.evaluate(FOLD, {"address": f"{server.base_url}/static/js", "frames": frames})
    assert result["summaries"] > 20
    assert result["exact"] == 1
    assert result["compared"] >= 1
    assert result["differences"] == []


def test_the_history_is_bounded_by_instants_and_by_messages_in_flight(page: Page, server: ServerProcess) -> None:
    page.goto(f"{server.base_url}/healthz")
    lengths = page.evaluate(
        """async (address) => {
            const { History } = await import(address);
            const history = new History({at_us: 0, flights: {}});
            const lengths = [];
            const add = (count, state) => {
                for (let at_us = 1; at_us <= count; at_us += 1) {
                    history.foldDigest({state: {at_us: history.newest.at_us + 1, ...state}}, at_us, false);
                }
                lengths.push(history.instants.length);
            };
            add(20_000, {flights: {}});
            add(1_000, {flights: Object.fromEntries(Array.from({length: 2_000}, (_, index) => [index, 1]))});
            add(20_000, {flights: {}});
            return lengths;
        }""",
        f"{server.base_url}/static/js/state/history.js",
    )
    assert 1_000 < lengths[0] <= 6_000
    assert lengths[1] <= 2_500
    assert 1_000 < lengths[2] <= 6_000
