"""Differences of sockets and processes between Linux, macOS and Windows.

An optional name is looked up when it is used, so a test can remove it. The differences of files are in
:mod:`engine.storage.disk`.
"""

import errno
import os
import select
import signal
import socket
import struct
import sys
from typing import Final

from engine.storage.disk import optional_module, read_at

FILES_WANTED: Final = 10_000
FILES_OF_WINDOWS: Final = 8_192  # its C library allows no more, and has no limit to query
SOCKETS_OF_SELECT: Final = 500  # Python's select() takes 512 on Windows
COUNTS_IN_TIMEVALS: Final = os.name != "nt"  # Windows takes milliseconds for SO_SNDTIMEO
PIECE_BYTES: Final = 4_096
FILE_PIECE_BYTES: Final = 64 * 1024

OUT_OF_HANDLES: Final = frozenset({errno.EMFILE, errno.ENFILE, getattr(errno, "WSAEMFILE", errno.EMFILE)})

# SIGBREAK is Ctrl-Break, which is also how one process of Windows can make another one end.
STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
)

_POLLIN: Final = getattr(select, "POLLIN", 0)  # goes with poll()
_resource: Final = optional_module("resource")  # not on Windows


# --- limits ---------------------------------------------------------------------------------------------------------


def allow_many_files() -> int:
    """Raise the limit on open files as far as this user may, to :data:`FILES_WANTED` at most; return what it is now."""
    if not hasattr(_resource, "getrlimit"):
        return FILES_OF_WINDOWS
    soft, hard = _resource.getrlimit(_resource.RLIMIT_NOFILE)
    unlimited = _resource.RLIM_INFINITY
    wanted = FILES_WANTED if hard == unlimited else min(hard, FILES_WANTED)
    if soft != unlimited and soft < wanted:
        try:
            _resource.setrlimit(_resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS says "unlimited" and has a lower limit in its kernel
            return int(soft)
        return int(wanted)
    return FILES_WANTED if soft == unlimited else int(soft)


def sockets_at_once() -> int:
    """Return how many sockets ``selectors.DefaultSelector`` can wait for."""
    has_another = any(hasattr(select, name) for name in ("epoll", "kqueue", "poll", "devpoll"))
    return sys.maxsize if has_another else SOCKETS_OF_SELECT


# --- sockets --------------------------------------------------------------------------------------------------------


def listen(host: str, port: int) -> socket.socket:
    """Return a bound, listening socket; raise ``OSError`` if the port is taken or the host is not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        set_address_reuse(listening)
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError):
        listening.close()
        raise
    return listening


def set_address_reuse(listening: socket.socket) -> None:
    """Let ``listening`` be bound to a port that was in use a moment ago, but not to one that is in use.

    SO_REUSEADDR does that on Linux and macOS. On Windows it would share the port with the process that has it.
    """
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def limit_each_step(connected: socket.socket, timeout_s: float) -> None:
    """Make each send and each receive fail with an ``OSError`` after ``timeout_s``.

    Where the option is a ``struct timeval``, the system keeps the time. Python's own timeout, used on Windows, makes
    one more system call before each send.
    """
    if not COUNTS_IN_TIMEVALS:
        connected.settimeout(timeout_s)
        return
    connected.settimeout(None)
    limit = struct.pack("@ll", int(timeout_s), int(timeout_s % 1 * 1_000_000))
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def is_closed_by_peer(connected: socket.socket) -> bool:
    """Return whether the other side, which sends nothing unrequested, has closed the connection."""
    try:
        return _is_readable(connected) and connected.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def send_now(connected: socket.socket, data: bytes | memoryview) -> int:
    """Send what a blocking socket accepts without waiting; raise ``BlockingIOError`` if it accepts nothing."""
    if hasattr(socket, "MSG_DONTWAIT"):
        return connected.send(data, socket.MSG_DONTWAIT)
    if not select.select([], [connected], [], 0)[1]:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return connected.send(data[:PIECE_BYTES])  # a writable socket has room for this much


def send_file(connected: socket.socket, handle: int, position: int, size_bytes: int) -> int:
    """Send up to ``size_bytes`` of an open file from ``position`` on; return how many, 0 at its end.

    The system does it without copying the bytes to this process (``sendfile``); Python has no such call on Windows.
    """
    if hasattr(os, "sendfile"):
        sent_bytes: int = os.sendfile(connected.fileno(), handle, position, size_bytes)
        return sent_bytes
    data = read_at(handle, min(size_bytes, FILE_PIECE_BYTES), position)
    return connected.send(data) if data else 0


def _is_readable(connected: socket.socket) -> bool:
    """Return whether bytes or the end have come. ``select`` takes no high handle numbers, so ``poll`` is preferred."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected, _POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([connected], [], [], 0)[0])
