"""Forks that take long: their progress, and their cancellation."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from engine.errors import InvalidCommand
from tests.webapp.room.rooms_by_hand import new_room
from tests.webapp.support import HandClock, act, run_ms
from webapp.errors import ForkGivenUp
from webapp.house.forks import ForkProgress, ForksUnderWay, ForkUnderWay
from webapp.house.services import Services
from webapp.room.commands import ForkAtOffset, ForkAtTime, ForkCommand, ForkNow
from webapp.room.room import Room
from webapp.settings import Settings


def under_way() -> ForkUnderWay:
    return ForkUnderWay(journal_bytes_in_all=100, at_us=1_000)


def test_a_fork_under_way_is_found_by_its_room_and_ticket() -> None:
    forks, fork = ForksUnderWay(), under_way()
    with forks.one("room", "ticket", fork):
        fork.note(40, 700)
        assert forks.progress_of("room", "ticket") == ForkProgress("repeating", 40, 100, 700, 1_000).as_json()
        assert forks.progress_of("other", "ticket") == {"state": "not_under_way"}
        with pytest.raises(InvalidCommand), forks.one("room", "ticket", under_way()):
            pytest.fail("a ticket belongs to one fork")
        with forks.one("other", "ticket", under_way()):
            forks.give_up("other", "ticket")
        fork.require_wanted()
    assert forks.progress_of("room", "ticket") == {"state": "not_under_way"}
    forks.give_up("room", "ticket")


def test_a_fork_without_a_ticket_cannot_be_found() -> None:
    forks = ForksUnderWay()
    with forks.one("room", "", under_way()), forks.one("room", "", under_way()):
        assert forks.progress_of("room", "") == {"state": "not_under_way"}


def test_progress_never_exceeds_the_whole_of_a_fork() -> None:
    fork = under_way()
    fork.note(108, 1_000)
    assert fork.progress.journal_bytes == 100


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Room]:
    """A room that has run for twenty seconds."""
    clock = HandClock()
    room = new_room(tmp_path, clock)
    act(room, "set_producer", rate_per_second=40)
    run_ms(room, clock, 20_000)
    yield room
    room.close()


@pytest.mark.parametrize("fork", [ForkNow(), ForkAtTime(9_500_000)])
def test_the_whole_of_a_fork_is_the_size_of_its_finished_journal(
    origin: Room, services: Services, fork: ForkCommand
) -> None:
    past = origin.past(fork)
    made = services.rooms.fork(origin, fork, address="here").room
    assert made.moment().end_offset == past.journal_bytes
    if isinstance(fork, ForkAtTime):
        assert origin.past(ForkAtOffset(past.journal_bytes)).point.at_us <= fork.at_us


class Watched(ForkUnderWay):
    """A fork that keeps each note of its progress, and cancels itself at ``give_up_at_us``."""

    notes: list[ForkProgress]
    give_up_at_us: int

    def note(self, journal_bytes: int, now_us: int) -> None:
        super().note(journal_bytes, now_us)
        self.notes.append(self.progress)
        if now_us > self.give_up_at_us:
            self.give_up()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    Watched.notes, Watched.give_up_at_us = [], 1 << 62
    monkeypatch.setattr("webapp.house.rooms.ForkUnderWay", Watched)
    return Watched


def test_the_progress_of_a_fork_is_what_it_has_journaled(
    origin: Room, services: Services, watched: type[Watched]
) -> None:
    made = services.rooms.fork(origin, ForkNow("ticket"), address="here").room
    assert len(watched.notes) > 10, "an hour of virtual time makes thousands of notes"
    assert watched.notes == sorted(watched.notes, key=lambda one: (one.journal_bytes, one.now_us))
    assert {one.state for one in watched.notes} == {"repeating"}
    last = watched.notes[-1]
    assert last.journal_bytes == last.journal_bytes_in_all == made.moment().end_offset
    assert last.now_us == last.at_us


def test_a_cancelled_fork_leaves_nothing_behind(origin: Room, services: Services, watched: type[Watched]) -> None:
    watched.give_up_at_us = 5_000_000
    known, folders = services.rooms.known, len(list((services.settings.data_dir / "rooms").iterdir()))
    with pytest.raises(ForkGivenUp):
        services.rooms.fork(origin, ForkNow("ticket"), address="here")
    assert watched.notes[-1].now_us < 6_000_000
    assert services.rooms.known == known
    assert len(list((services.settings.data_dir / "rooms").iterdir())) == folders
    assert services.rooms.forks.progress_of(origin.record.room, "ticket") == {"state": "not_under_way"}
    watched.give_up_at_us = 1 << 62
    assert services.rooms.fork(origin, ForkNow("ticket"), address="here").room.moment().end_offset > 0


class TestOverTheApi:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Let no fork have its turn."""
        return replace(settings, forks_at_once=0)

    @pytest.mark.parametrize("path", ["/api/rooms/{room}/commands", "/rooms/{room}/controls/fork"])
    def test_a_waiting_fork_reports_it_and_can_be_cancelled(self, client: FlaskClient, path: str) -> None:
        room = str(client.post("/api/rooms", json={"paused": True}).get_json()["room"])
        place = f"/api/rooms/{room}/forks/mine-1"
        assert client.get(place).get_json() == {"state": "not_under_way"}
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(self._fork, client, path.format(room=room))
            while (progress := client.get(place).get_json()) == {"state": "not_under_way"}:
                assert not asked.done()
            assert progress["state"] == "waiting"
            assert progress["journal_bytes"] == 0
            assert (
                progress["journal_bytes_in_all"] == client.get(f"/api/rooms/{room}").get_json()["journal"]["end_offset"]
            )
            foreign = client.delete(place, headers={"Sec-Fetch-Site": "cross-site"})
            assert foreign.status_code == 403
            assert client.delete(place).status_code == 204
            refused = asked.result()
        assert (refused.status_code, refused.get_json()["code"]) == (409, "fork_given_up")
        assert client.delete(place).status_code == 204, "a finished fork can be cancelled too"

    @staticmethod
    def _fork(client: FlaskClient, path: str) -> Any:
        fresh = client.application.test_client()
        if path.startswith("/api"):
            return fresh.post(path, json={"command": "fork", "ticket": "mine-1"})
        return fresh.post(path, data={"ticket": "mine-1"}, headers={"Accept": "application/json"})


@pytest.mark.parametrize("ticket", ["a b", "a/b", "é", "x" * 65])
def test_a_ticket_that_cannot_be_part_of_an_address_is_refused(client: FlaskClient, ticket: str) -> None:
    room = client.post("/api/rooms", json={"paused": True}).get_json()["room"]
    refused = client.post(f"/api/rooms/{room}/commands", json={"command": "fork", "ticket": ticket})
    assert (refused.status_code, refused.get_json()["field"]) == (400, "ticket")
