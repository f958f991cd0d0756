"""Ten viewers: sockets over loopback TCP, read by a process of its own that throws away what it gets.

``python -m benchmarks.events.audience PORT COUNT`` is that process: it connects, reads to the end, and prints how many
bytes each connection brought.
"""

import select
import selectors
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.journal.journal import Journal, JournalChunk
from webapp.feed.broadcaster import Broadcaster
from webapp.feed.viewer import Viewer
from webapp.room.answers import Moment
from webapp.room.digests import Digest
from webapp.room.pace import ClockFacts

VIEWERS = 10
TIMEOUT_S = 30.0
READ_BYTES = 1 << 20
NO_LIMIT_BYTES = 1 << 50
ROOT = Path(__file__).parent.parent.parent
RUNNING = ClockFacts(0, 1.0, paused=False, standing=False)


class Following:
    """A journal as the feed reads it, for viewers who want every event."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def moment(self) -> Moment:
        """Time runs; the journal ends where it ends."""
        return Moment(RUNNING, self._journal.checkpoint_offset, self._journal.end_offset)

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        """As the journal."""
        return self._journal.read(offset, max_bytes)

    def is_digested(self, offset: int) -> bool:
        """Never: they get it all."""
        return False

    def digest_after(self, offset: int) -> Digest:
        """Never called: no viewer takes digests."""
        raise NotImplementedError


class _Outlet:
    """A socket that takes what it takes without waiting, as the feed's connections do."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send_some(self, data: bytes | memoryview) -> int:
        return self._connection.send(data, socket.MSG_DONTWAIT)

    def stop_receiving(self) -> None:
        """Nothing was expected from this viewer."""


class Audience:
    """Viewers of one journal, served by the feed's own broadcaster, in this thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._broadcaster = Broadcaster()
        with socket.create_server(("127.0.0.1", 0), backlog=VIEWERS) as listener:
            port = listener.getsockname()[1]
            self._readers = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.events.audience", str(port), str(VIEWERS)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            listener.settimeout(TIMEOUT_S)
            self._connections = [listener.accept()[0] for _ in range(VIEWERS)]
        source = Following(journal)
        self._viewers = [Viewer(source, _Outlet(connection)) for connection in self._connections]
        for viewer in self._viewers:
            viewer.pull(journal.end_offset, NO_LIMIT_BYTES)

    def show(self) -> None:
        """Send all viewers everything in the journal; return when the system has taken it."""
        behind = self._viewers
        while behind:
            self._broadcaster.serve(behind, is_heartbeat=False)
            end_offset = self._journal.end_offset
            behind = [viewer for viewer in behind if not viewer.flush() or viewer.offset < end_offset]
            if behind:
                select.select([], self._connections, [], TIMEOUT_S)

    def leave(self) -> list[int]:
        """Close the connections; return how many bytes each viewer got."""
        for connection in self._connections:
            connection.close()
        printed, _ = self._readers.communicate(timeout=TIMEOUT_S)
        return [int(line) for line in printed.split()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._readers.kill()
        self._readers.wait()


def read_everything(port: int, count: int) -> list[int]:
    """Connect ``count`` times and read until every connection ends; the bytes that each brought."""
    brought: dict[socket.socket, int] = {}
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            brought[connection] = 0
            selector.register(connection, selectors.EVENT_READ)
        buffer = bytearray(READ_BYTES)
        while selector.get_map():
            for key, _ in selector.select():
                connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                size = connection.recv_into(buffer)
                brought[connection] += size
                if not size:
                    selector.unregister(connection)
                    connection.close()
    return list(brought.values())


def main(arguments: Sequence[str]) -> None:
    """Read, and tell how much."""
    port, count = map(int, arguments)
    print(*read_everything(port, count))


if __name__ == "__main__":
    main(sys.argv[1:])
