"""The stamp of a message: when and by which server it was made (paper, section 4). It is part of the payload's text."""

import re
from dataclasses import dataclass
from datetime import datetime

from engine.runtime.calendar import virtual_us, wall_text

NO_SERVER = ""
STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00) server=([A-Za-z0-9._-]{1,60})(?= |$)")


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a message was made, in virtual microseconds, and by which server."""

    at_us: int
    server: str


UNSTAMPED = Stamp(0, NO_SERVER)


def stamp_text(stamp: Stamp) -> str:
    """Format a stamp as a payload has it, to the millisecond."""
    return f"{wall_text(stamp.at_us)} server={stamp.server}"


def find_stamp(payload: bytes) -> Stamp:
    """Find the first stamp in a payload; return ``UNSTAMPED`` if there is none or its date does not exist."""
    found = STAMP.search(payload)
    if found is None:
        return UNSTAMPED
    try:
        made = datetime.fromisoformat(found[1].decode())
    except ValueError:
        return UNSTAMPED
    return Stamp(virtual_us(made), found[2].decode())
