"""The command line: ``offsetscope serve`` and ``offsetscope broker``."""

import argparse
import logging
import sys
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from engine.errors import OffsetscopeError
from engine.scenarios import SCENARIOS
from engine.tcp import command as broker
from engine.tcp.platform import allow_many_files, listen
from webapp.app import create_app
from webapp.connections import ConnectionLimits, Connections
from webapp.http.request.context import EXTENSION
from webapp.paths import default_data_directory
from webapp.server import address_of, serve
from webapp.settings import DEFAULT_SCENARIO, Settings

WRONG_USE = 2
HIGHEST_PORT = 65_535
MOST_DAYS = 36_500
DAY_S = 86_400


class OneLineParser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with code 2."""
        fail(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, or 2 with one line on stderr on an error."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    return run_broker(options) if options.verb == "broker" else run(options)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = OneLineParser(prog="offsetscope", description="A small, real Kafka of the 2011 paper, to look at.")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="{serve,broker}")
    verb = verbs.add_parser("serve", help="serve the page, the stage and the API until Ctrl-C")
    verb.add_argument("--host", default="127.0.0.1", help="the address to listen on (default %(default)s)")
    verb.add_argument("--port", type=port, default=8000, help="the port, 0 for any free one (default %(default)s)")
    verb.add_argument(
        "--data-dir",
        type=Path,
        default=default_data_directory(),
        help="the folder that holds the rooms, used by one server at a time (default %(default)s)",
    )
    verb.add_argument(
        "--scenario",
        default=DEFAULT_SCENARIO,
        choices=sorted(SCENARIOS),
        help="how new rooms begin (default %(default)s)",
    )
    verb.add_argument(
        "--room-expiry-days",
        type=days,
        default=14,
        help="delete a room after this many days of this server's running time without use, 0 for never "
        "(default %(default)s)",
    )
    verb.add_argument(
        "--trusted-proxies",
        type=proxies,
        default=0,
        help="how many reverse proxies stand before this server and write X-Forwarded-For, -Proto, -Host and -Prefix "
        "(default %(default)s: such headers are ignored)",
    )
    verb.add_argument(
        "--public-url",
        default="",
        help="the address by which visitors reach this server, if a proxy does not send it; with a path for a server "
        "below one: https://example.org/demo",
    )
    verb.add_argument("--open", action="store_true", help="open the page in the browser")
    broker.add_arguments(verbs.add_parser("broker", help="serve logs to clients of Kafka 0.7 until Ctrl-C"))
    return whole


def port(text: str) -> int:
    """Parse a port number; 0 means any free port."""
    if not text.isdecimal() or len(text) > len(str(HIGHEST_PORT)) or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port from 0 to {HIGHEST_PORT}")
    return int(text)


def proxies(text: str) -> int:
    """Parse a number of proxies."""
    if not text.isdecimal() or len(text) > 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of proxies from 0 to 9")
    return int(text)


def days(text: str) -> int:
    """Parse a number of days; 0 means for ever."""
    if not text.isdecimal() or len(text) > len(str(MOST_DAYS)) or int(text) > MOST_DAYS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of days from 0 to {MOST_DAYS}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Run ``serve`` with the options."""
    try:
        listening = listen(options.host, options.port)
    except OSError as error:
        fail(f"cannot listen on {options.host} port {options.port}: {error.strerror}; choose another with --port")
    try:
        app = create_app(
            Settings(
                data_dir=options.data_dir.expanduser(),
                scenario=options.scenario,
                host=options.host,
                trusted_proxies=options.trusted_proxies,
                public_url=options.public_url,
                room_expires_after_s=(options.room_expiry_days or MOST_DAYS) * DAY_S,
            )
        )
    except OffsetscopeError as error:
        fail(f"{error.message}; {error.remedy}")
    limits = ConnectionLimits()
    files = allow_many_files()  # a room has about five open, a connection one
    in_all = min(limits.in_all, files // 2)
    # Behind a proxy all connections come from its address; there it limits them by client.
    per_client = in_all if options.trusted_proxies else limits.per_client
    connections = Connections(replace(limits, in_all=in_all, per_client=per_client))
    address = address_of(options.host, listening)

    def ready() -> None:
        print(f"Offsetscope is at {address}", flush=True)
        if options.open:  # in a thread of its own: a browser in the terminal would keep the server waiting
            threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()

    serve(app, app.extensions[EXTENSION], options.host, listening, connections, ready=ready)
    return 0


def run_broker(options: argparse.Namespace) -> int:
    """Run ``broker`` with the options."""
    try:
        return broker.run(options, ready=lambda line: print(line, flush=True))
    except OffsetscopeError as error:
        fail(f"{error.message}; {error.remedy}")


def fail(line: str) -> NoReturn:
    """Print an error in one line, and exit with code 2."""
    print(f"offsetscope: {' '.join(line.split())}", file=sys.stderr)
    raise SystemExit(WRONG_USE)
