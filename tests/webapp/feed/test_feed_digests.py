"""A feed that grows too fast is sent as digests to readers who accept them."""

import itertools
import json

from tests.webapp.feed.feed_by_hand import Audience, numbers, pull
from webapp.feed import take_in
from webapp.feed.viewer import Viewer

# --- digests -------------------------------------------------------------------------------------------------------


def pull_digests(viewer: Viewer, place: object, max_bytes: int = 1_000_000) -> None:
    take_in(viewer, json.dumps({"pull": place, "max_bytes": max_bytes, "digest": True}))


class Flood:
    """A journal that grows too fast, in slices of 250 ms."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.wall_ms = 1_000
        self.journal = audience.journal
        self.journal.note(self.wall_ms, {"n": -1})

    def rise(self, number: int, bytes_added: int = 3_000) -> None:
        """Set the state to ``{"n": number, "logs": {...}}``, and give the viewers their turn."""
        self.wall_ms += 250
        self.journal.grow(bytes_added)
        self.journal.note(self.wall_ms, {"n": number, "logs": {"p0": {"next": number, "same": "x"}}})
        self.audience.turn()

    def ebb(self) -> None:
        """Let two seconds pass in which the journal does not grow."""
        for _ in range(8):
            self.wall_ms += 250
            self.journal.note(self.wall_ms, {"n": 99})
            self.audience.turn()


def test_a_journal_that_grows_too_fast_is_sent_as_digests_to_readers_who_accept_them(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull_digests(viewer, "end")
    flood = Flood(audience)
    for number in range(4):
        flood.rise(number)
    digests = [message for message in wire.messages() if "digest" in message]
    assert [message["events"] for message in digests] == [[]] * len(digests)
    assert digests[0]["digest"]["state"]["logs"]["p0"]["same"] == "x"
    assert [message["digest"]["patch"] for message in digests[2:]] == [
        {"n": number, "logs": {"p0": {"next": number}}} for number in (2, 3)
    ]
    assert digests[-1]["next"] == digests[-1]["end"] == audience.journal.end
    for before, after in itertools.pairwise(wire.messages()):
        assert before["next"] == after["offset"]


def test_a_reader_who_does_not_accept_digests_gets_every_event(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)
    flood = Flood(audience)
    for number in range(4):
        flood.rise(number)
    assert numbers(wire.messages()) == list(range(8))
    assert not any("digest" in message for message in wire.messages())


def test_a_reader_at_an_offset_where_no_digest_begins_gets_the_whole_newest_state(audience: Audience) -> None:
    flood = Flood(audience)
    for number in range(5):
        flood.rise(number)
    late, wire = audience.join()
    pull_digests(late, audience.journal.offsets[2])
    audience.turns(2)
    (frame,) = wire.messages()
    assert frame["digest"]["state"]["n"] == 4
    assert (frame["offset"], frame["next"]) == (audience.journal.offsets[2], audience.journal.end)


def test_all_readers_of_a_digest_share_the_same_encoded_bytes(audience: Audience) -> None:
    wires = [audience.join()[1] for _ in range(3)]
    flood = Flood(audience)
    for viewer in audience.viewers:
        pull_digests(viewer, "end")
    for number in range(4):
        flood.rise(number)
    assert wires[0].sent == wires[1].sent == wires[2].sent
    assert audience.journal.reads == 0


def test_a_series_of_digests_ends_with_the_exact_state_and_events_follow(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull_digests(viewer, "end")
    flood = Flood(audience)
    for number in range(3):
        flood.rise(number)
    flood.ebb()
    closing = wire.messages()[-1]
    assert closing["digest"] == {"state": {"n": 99, "x": 1}, "exact": True}
    assert closing["next"] == audience.journal.end
    audience.journal.grow(5)
    audience.turn()
    assert numbers(wire.messages()[-1:]) == [len(audience.journal.payloads) - 1]


def test_a_paused_room_sends_its_exact_state_at_once(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull_digests(viewer, "end")
    flood = Flood(audience)
    flood.rise(0)
    audience.journal.note(flood.wall_ms + 1, {"n": 0}, is_running=False)
    audience.turn()
    assert wire.messages()[-1]["digest"]["exact"] is True


def test_a_digest_costs_its_size_and_too_small_a_credit_is_an_error(audience: Audience) -> None:
    viewer, wire = audience.join()
    flood = Flood(audience)
    flood.rise(0)
    pull_digests(viewer, 0, 20)
    audience.turn()
    (answer,) = wire.messages()
    assert answer["error"]["code"] == "credit_too_small"
    pull_digests(viewer, 0, answer["error"]["needed_bytes"])
    audience.turn()
    assert wire.messages()[1]["digest"]["state"]["n"] == 0
    assert viewer.credit_bytes == 0
