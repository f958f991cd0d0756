"""Python as it is on macOS and on Windows, as far as that can be had on Linux: what it lacks there is taken away.

A program of its own calls :func:`become` before it imports anything of ours.
"""

import asyncio  # noqa: F401  # these have parts for Windows, whose modules are then missing
import errno
import multiprocessing.util  # noqa: F401
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile  # noqa: F401
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import flask_sock  # noqa: F401
import werkzeug.serving  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0

WITHOUT = {
    "macos": {
        os: ["fdatasync", "posix_fadvise", "posix_fallocate", "pipe2", "sched_getaffinity"],
        select: ["epoll", "EPOLLIN"],
        selectors: ["EpollSelector"],
        socket: ["MSG_MORE", "AF_NETLINK", "AF_PACKET", "TCP_CORK", "TCP_QUICKACK"],
    },
    "windows": {
        os: [
            *["fdatasync", "pread", "preadv", "pwrite", "pwritev", "readv", "writev", "sendfile", "fchmod", "chown"],
            *["O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "O_SYNC", "O_DSYNC", "O_NOFOLLOW", "sync", "statvfs", "uname"],
            *["posix_fadvise", "posix_fallocate", "pipe2", "sched_getaffinity", "getuid", "geteuid", "fork", "sysconf"],
        ],
        select: ["epoll", "poll", "EPOLLIN", "POLLIN", "POLLOUT"],
        selectors: ["EpollSelector", "PollSelector"],
        socket: ["MSG_MORE", "MSG_DONTWAIT", "AF_UNIX", "AF_NETLINK", "TCP_CORK", "SO_REUSEPORT"],
        signal: ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGCHLD"],
    },
}
MODULES_WITHOUT = {"macos": [], "windows": ["fcntl", "resource", "termios", "grp", "pwd", "pty", "syslog", "posix"]}


class _Missing(MetaPathFinder):
    """A finder that hides modules of these names from the finders after it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def become(system: str) -> None:
    """Take away what ``system`` lacks, for the rest of this process."""
    assert not {"engine.storage.disk", "webapp"} & set(sys.modules), "too late: what is missing has been found"
    for module, names in WITHOUT[system].items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES_WITHOUT[system]:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, _Missing(MODULES_WITHOUT[system]))
    if system == "windows":
        selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc,assignment]
        socket.socketpair = _socketpair_over_loopback
        _refuse_what_windows_refuses()
    else:
        selectors.DefaultSelector = selectors.PollSelector  # type: ignore[misc,assignment]


def _socketpair_over_loopback() -> tuple[socket.socket, socket.socket]:
    """Make a pair of sockets as Python does on Windows, which has no pairs of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        return listening.accept()[0], ours


def _refuse_what_windows_refuses() -> None:
    """Refuse to open a directory, and to remove or move a file that is open."""
    open_as_it_is = os.open

    def open_no_directory(path: Any, *arguments: Any, **keywords: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_as_it_is(path, *arguments, **keywords)

    os.open = open_no_directory
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    for name in ("unlink", "remove", "rename", "replace", "rmdir"):
        setattr(os, name, _unless_open(getattr(os, name)))


def _unless_open(action: Callable[..., None]) -> Callable[..., None]:
    def refused_if_open(path: Any, *others: Any, **keywords: Any) -> None:
        for concerned in (path, *others):
            place = Path(concerned).absolute()
            for opened in _open_files():
                if opened == place or place in opened.parents:
                    raise PermissionError(errno.EACCES, "the file is used by another process", str(concerned))
        action(path, *others, **keywords)

    return refused_if_open


def _open_files() -> list[Path]:
    found = []
    for handle in list(Path("/proc/self/fd").iterdir()):
        try:
            found.append(handle.readlink())
        except FileNotFoundError:
            continue  # that of the listing itself, closed by now
    return found


def run_on(system: str, program: str, *arguments: str) -> str:
    """Run ``program`` in a process of its own on such a system; return its output. ``""`` is this system as it is."""
    first = f"from tests.support.other_systems import become; become({system!r})\n" if system else ""
    ended = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", first + program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
