"""``offsetscope broker``: its options, and a run of the broker from start to stop."""

import argparse
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, NoReturn

from engine.broker.request_handler import RequestHandler
from engine.storage.disk import OsDisk
from engine.storage.log import Log
from engine.tcp.client_log import ClientLog
from engine.tcp.faults import AddressUnusable
from engine.tcp.partition_logs import PartitionLogs
from engine.tcp.platform import STOP_SIGNALS, allow_many_files, listen, sockets_at_once
from engine.tcp.server import BrokerServer, logger
from engine.tcp.settings import BrokerSettings, ConnectionLimits

HIGHEST_PORT: Final = 65_535
HIGHEST_INT32: Final = (1 << 31) - 1
HIGHEST_INTERVAL: Final = 10**9
HANDLES_OF_OUR_OWN: Final = 64


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add the options of ``offsetscope broker``."""
    shown = "(default %(default)s)"
    defaults = BrokerSettings(Path())
    number = verb.add_argument
    number("--data-dir", type=Path, required=True, help="the folder of the logs, used by one broker at a time")
    number("--port", type=_number(0, HIGHEST_PORT), required=True, help="the port, 0 for any free one")
    number("--host", default="127.0.0.1", help=f"the address to listen on {shown}")
    number(
        "--partitions",
        type=_number(1, HIGHEST_INT32),
        default=defaults.partitions,
        help=f"partitions of every topic {shown}",
    )
    number(
        "--segment-bytes",
        type=_number(1, HIGHEST_INT32),
        default=defaults.segment_bytes,
        help=f"above this size a segment is closed and the next one begins {shown}",
    )
    number(
        "--flush-messages",
        type=_number(1, HIGHEST_INTERVAL),
        default=defaults.flush_messages,
        help=f"after so many new messages a log is flushed, and readers see them {shown}",
    )
    number(
        "--flush-ms",
        type=_number(1, HIGHEST_INTERVAL),
        default=defaults.flush_ms,
        help=f"fewer are flushed after so many milliseconds {shown}",
    )
    number(
        "--retention-hours",
        type=_number(1, HIGHEST_INTERVAL),
        default=defaults.retention_hours,
        help=f"segments that were not appended to for so long are deleted {shown}",
    )
    number(
        "--max-message-bytes",
        type=_number(0, HIGHEST_INT32),
        default=defaults.max_message_bytes,
        help=f"a larger message is refused {shown}",
    )


def run(options: argparse.Namespace, ready: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT, then close the logs and return 0.

    ``ready`` is called with a line of text that gives the address, once the broker accepts requests. Raises an
    :class:`~engine.errors.OffsetscopeError` if the address, the folder or a log cannot be opened.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    limits = ConnectionLimits()
    settings = BrokerSettings(
        data_dir=options.data_dir.expanduser(),
        partitions=options.partitions,
        segment_bytes=options.segment_bytes,
        flush_messages=options.flush_messages,
        flush_ms=options.flush_ms,
        retention_hours=options.retention_hours,
        max_message_bytes=options.max_message_bytes,
    )
    limits, settings = _fitted(limits, settings, allow_many_files())
    listening = _listen(options.host, options.port)
    logs = PartitionLogs.open(settings, disk=OsDisk(sync=True), clock=time.monotonic)
    try:
        client_log = ClientLog(logger, time.monotonic)
        chance = Random()
        handler = RequestHandler(logs, Log.locate, lambda: chance.randrange(settings.partitions))
        server = BrokerServer(listening, logs, handler, client_log, limits, time.monotonic)
        server.stop_on_signals()
        host = f"[{options.host}]" if ":" in options.host else options.host
        ready(f"Offsetscope broker is at {host}:{listening.getsockname()[1]}")
        server.run()
    finally:
        logs.close()
    return 0


def _number(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high``."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {low} to {high}")
        return int(text)

    return number


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise AddressUnusable(
            f"cannot listen on {host} port {port}: {error.strerror or error}", "choose another with --port"
        ) from error


def _fitted(
    limits: ConnectionLimits, settings: BrokerSettings, handles: int
) -> tuple[ConnectionLimits, BrokerSettings]:
    """Lower the limits to what the handles allow: two for each connection (socket and file), one for each log."""
    connections = min(limits.connections, sockets_at_once(), max(1, (handles - HANDLES_OF_OUR_OWN) // 4))
    partitions_max = min(settings.partitions_max, max(1, handles - HANDLES_OF_OUR_OWN - 2 * connections))
    return replace(limits, connections=connections), replace(settings, partitions_max=partitions_max)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Exit at once: no request has been accepted yet."""
    raise SystemExit(0)
