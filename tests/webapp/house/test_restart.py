"""A server that is killed while it works, and started again."""

import threading
import urllib.error
from http.client import HTTPException
from pathlib import Path

from tests.webapp.support import FeedClient, MadeOverHttp, ServerProcess, get_json, post_json, server_process


class Sender(threading.Thread):
    """Sends numbered records one after the other, and keeps the journal offset of each that was acknowledged."""

    def __init__(self, made: MadeOverHttp, name: str) -> None:
        super().__init__(name=name)
        self.made = made
        self.acknowledged: dict[str, int] = {}
        self.enough = threading.Event()

    def run(self) -> None:
        number = 0
        while True:
            key = f"{self.name}-{number}"
            fields = {"command": "produce", "topic": "pageviews", "records": [{"key": key, "value": "x"}]}
            try:
                answer = post_json(f"{self.made.urls['api']}/commands", fields, self.made.key)
            except (OSError, HTTPException, urllib.error.URLError):
                return
            self.acknowledged[key] = answer["journal_offset"]
            number += 1
            if number == 25:
                self.enough.set()


def read_all(server: ServerProcess, made: MadeOverHttp) -> list[dict[str, object]]:
    """Return every frame of the room's journal from the beginning."""
    end = get_json(f"{server.url}/api/rooms/{made.room}")["journal"]["end_offset"]
    viewer = FeedClient(f"{server.url.replace('http', 'ws')}/api/rooms/{made.room}/feed")
    viewer.pull(0, 16_000_000)
    frames = viewer.receive_until(end)
    viewer.close()
    return frames


def test_after_a_kill_every_acknowledged_command_is_applied_and_offsets_stay_valid(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        rooms = [server.make_room(), server.make_room()]
        viewer = FeedClient(rooms[0].urls["feed"])
        viewer.pull("checkpoint", 16_000_000)
        senders = [Sender(made, f"sender{number}") for number, made in enumerate([rooms[0], rooms[0], rooms[1]])]
        for sender in senders:
            sender.start()
        for sender in senders:
            assert sender.enough.wait(timeout=20)
        seen = viewer.receive_until(max(senders[0].acknowledged.values()))
        server.kill()
        for sender in senders:
            sender.join()
        viewer.close()
    with server_process(tmp_path) as server:
        frames_of_room = {made.room: read_all(server, made) for made in rooms}
        for sender in senders:
            frames = frames_of_room[sender.made.room]
            sent = {event["key"] for frame in frames for event in frame["events"] if event["event"] == "batch_sent"}  # type: ignore[attr-defined]
            assert len(sender.acknowledged) >= 25
            assert set(sender.acknowledged) <= sent
        events = [event for frame in frames_of_room[rooms[0].room] for event in frame["events"]]  # type: ignore[attr-defined]
        before = [event for frame in seen for event in frame["events"]]
        assert events[: len(before)] == before
        _, errors = server.stop()
        assert "differs" not in errors


def test_after_a_kill_a_browser_continues_from_its_journal_offset(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        made = server.make_room()
        answer = post_json(f"{made.urls['api']}/commands", {"command": "produce", "count": 9}, made.key)
        offset = answer["journal_offset"]
        server.kill()
    with server_process(tmp_path) as server:
        viewer = FeedClient(f"{server.url.replace('http', 'ws')}/api/rooms/{made.room}/feed")
        viewer.pull(offset)
        frame = viewer.receive()
        assert frame["offset"] == offset
        url = f"{server.url}/api/rooms/{made.room}/commands"
        later = post_json(url, {"command": "produce", "count": 1}, made.key)
        assert viewer.receive_until(later["journal_offset"])
        viewer.close()


def test_the_presenter_key_is_valid_after_a_kill(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        made = server.make_room(paused=True)
        server.kill()
    with server_process(tmp_path) as server:
        url = f"{server.url}/api/rooms/{made.room}/commands"
        assert post_json(url, {"command": "reset"}, made.key)["applied_at_us"] == 0
