"""The feed over real sockets."""

import itertools
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import websocket
from simple_websocket import Server

from tests.webapp.support import TIMEOUT_S, FeedClient, LiveServer, watching
from webapp.feed.connection import Connection
from webapp.feed.viewer import Viewer
from webapp.settings import Settings


def refused_handshake(url: str, **options: object) -> tuple[int, dict[str, object]]:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(url, timeout=TIMEOUT_S, **options)
    body = refused.value.resp_body
    assert body is not None
    return refused.value.status_code, json.loads(body)


def knock_until_let_in(url: str) -> FeedClient:
    """Connect a viewer, retrying while there is no free seat."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return FeedClient(url)
        except websocket.WebSocketBadStatusException:
            if time.monotonic() > deadline_s:
                raise


def test_a_viewer_follows_the_room(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("checkpoint")
        first = viewer.receive()
        assert [event["event"] for event in first["events"]] == ["checkpoint"]
        assert first["clock"]["paused"]
        applied = live.command(made, "crash_consumer", group="Real-time metrics", consumer="Metrics A")
        frames = viewer.receive_until(applied["journal_offset"])
        assert frames[0]["offset"] == first["next"]
        assert "consumer_crashed" in [event["event"] for frame in frames for event in frame["events"]]


def test_a_change_of_the_clock_is_sent_at_once(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("end")
        assert viewer.receive()["clock"]["speed"] == 1
        live.command(made, "clock", action="speed", speed=4)
        assert viewer.receive()["clock"]["speed"] == 4


def test_a_paused_room_sends_heartbeats(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("end")
        frames = [viewer.receive() for _ in range(3)]
        assert [frame["events"] for frame in frames] == [[], [], []]


def test_bad_frames_are_answered_and_the_connection_stays(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        for frame in ("hello", '{"pull": 3, "max_bytes": 100}', "x" * 5_000, '{"pull": 99999999, "max_bytes": 9}'):
            viewer.send(frame)
            assert set(viewer.receive()) == {"error"}
        viewer.socket.send_binary(b"\0\1\2")
        assert viewer.receive()["error"]["code"] == "invalid_pull"
        viewer.pull("checkpoint")
        assert viewer.receive()["offset"] == 0


def test_a_frame_that_breaks_the_protocol_ends_only_its_own_connection(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer, watching(made.urls["feed"]) as rude:
        rude.socket.sock.sendall(b"\xff\xff\xff\xff" * 8)
        assert rude.close_code() == 1002
        viewer.pull("checkpoint")
        assert viewer.receive()["offset"] == 0
        assert live.make_room()


def test_a_ping_is_answered_between_frames(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("checkpoint")
        viewer.receive()
        viewer.socket.ping("are you there")
        opcode, frame = viewer.socket.recv_data_frame(control_frame=True)
        assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there")


def test_a_close_frame_is_answered_and_frees_the_viewers_seat(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.socket.send_close()
        assert viewer.close_code() == 1000
    room = live.services.rooms.find(made.room)
    with live.services.broadcaster._changed:
        assert live.services.broadcaster._changed.wait_for(
            lambda: room not in live.services.broadcaster._viewers, timeout=TIMEOUT_S
        )


def viewers_of(live: LiveServer) -> list[Viewer]:
    broadcaster = live.services.broadcaster
    with broadcaster._changed:
        return list(broadcaster._all_viewers())


def lags(viewer: Viewer) -> bool:
    """Return whether the viewer's socket is full, so that a frame is half sent."""
    with viewer.lock:
        return bool(viewer._tail)


def test_a_slow_reader_does_not_delay_the_others(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"], sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]) as slow:
        slow.pull("checkpoint", 16_000_000)
        begin = slow.receive()["next"]
        (slow_viewer,) = viewers_of(live)
        assert isinstance(slow_viewer._outlet, Connection)
        slow_viewer._outlet._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with watching(made.urls["feed"]) as fast:
            fast.pull(begin, 16_000_000)
            while not lags(slow_viewer):
                applied = live.command(made, "produce", records=[{"key": str(key), "value": "x"} for key in range(50)])
                fast.receive_until(applied["journal_offset"])
                assert applied["journal_offset"] < 2_000_000, "the slow reader's socket was never full"
            applied = live.command(made, "produce", count=1)
            fast.receive_until(applied["journal_offset"])
        slow.socket.ping("answered behind the frame that is half sent")
        frames = slow.receive_until(applied["journal_offset"])
        assert frames[0]["offset"] == begin
        for before, after in itertools.pairwise(frames):
            assert before["next"] == after["offset"]


def test_a_page_of_another_origin_may_not_connect_to_the_feed(live: LiveServer) -> None:
    made = live.make_room()
    for origin in ("http://evil.example", "null", f"http://{live.host}.evil.example"):
        status, error = refused_handshake(made.urls["feed"], origin=origin)
        assert (status, error["code"]) == (403, "foreign_origin")
    with watching(made.urls["feed"], origin=f"http://{live.host}"), watching(made.urls["feed"], suppress_origin=True):
        assert live.services.seats.taken(made.room) == 2


def test_an_unknown_room_is_refused_before_the_handshake(live: LiveServer) -> None:
    status, error = refused_handshake(f"ws://{live.host}/api/rooms/aaaabbbbcccc/feed")
    assert (status, error["code"]) == (404, "unknown_room")


class TestAFullServer:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data_dir=settings.data_dir, viewers_per_room_at_most=1, viewers_at_most=2)

    def test_viewers_over_the_limit_of_a_room_are_refused(self, live: LiveServer) -> None:
        made = live.make_room()
        with watching(made.urls["feed"]):
            status, error = refused_handshake(made.urls["feed"])
            assert (status, error["code"]) == (429, "too_many_viewers")

    def test_a_viewer_that_leaves_frees_its_seat(self, live: LiveServer) -> None:
        made = live.make_room()
        with watching(made.urls["feed"]):
            assert live.services.seats.taken(made.room) == 1
        knock_until_let_in(made.urls["feed"]).close()

    def test_viewers_over_the_limit_of_the_server_are_refused(self, live: LiveServer) -> None:
        one, other, third = (live.make_room() for _ in range(3))
        with watching(one.urls["feed"]), watching(other.urls["feed"]):
            assert refused_handshake(third.urls["feed"])[0] == 429


def test_a_client_that_disconnects_inside_a_frame_is_removed(live: LiveServer) -> None:
    made = live.make_room()
    host, _, port = urlsplit(made.urls["feed"]).netloc.partition(":")
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("checkpoint", 16_000_000)
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as raw:
            raw.sendall(
                f"GET {urlsplit(made.urls['feed']).path} HTTP/1.1\r\nHost: {live.host}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert raw.recv(12) == b"HTTP/1.1 101"
        end = live.command(made, "produce", count=3)["journal_offset"]
        viewer.receive_until(end)


def test_a_viewer_that_never_pulls_is_closed(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.feed.FIRST_PULL_S", 0.05)
    made = live.make_room(paused=True)
    with pytest.raises(websocket.WebSocketConnectionClosedException), watching(made.urls["feed"]) as viewer:
        viewer.receive()


def test_a_viewer_that_has_pulled_may_be_silent(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.feed.FIRST_PULL_S", 0.05)
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("end")
        for _ in range(3):
            assert viewer.receive()["clock"]["paused"]  # heartbeats, a second apart


def test_a_flood_of_pulls_ends_its_connection(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.feed.FRAMES_AT_ONCE", 3)
    monkeypatch.setattr("webapp.feed.FRAMES_PER_SECOND", 0)
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        for _ in range(4):
            viewer.pull("end")
        assert viewer.close_code() == 1008


def test_a_frame_that_is_far_too_large_is_not_read(live: LiveServer) -> None:
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.send("x" * 100_000)
        assert viewer.close_code() == 1009


def test_a_viewers_socket_has_no_time_limit_before_the_library_reads_it(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the library's thread could read while the socket changes from non-blocking to blocking, and fail."""
    timeouts: list[float | None] = []

    def noting(opened: Server) -> Connection:
        timeouts.append(opened.sock.gettimeout())
        return Connection(opened)

    monkeypatch.setattr("webapp.http.feed.Connection", noting)
    made = live.make_room(paused=True)
    with watching(made.urls["feed"]) as viewer:
        viewer.pull("end")
        viewer.receive()
    assert timeouts == [None]
