"""The request of a viewer: a pull, which is a place in the journal and a credit of bytes."""

import json
from dataclasses import dataclass
from typing import Literal

from webapp.errors import InvalidPull

PULL_BYTES_AT_MOST = 4_096
CREDIT_BYTES_AT_MOST = 16 * 1024 * 1024

NamedPlace = Literal["checkpoint", "end"]


@dataclass(frozen=True, slots=True)
class Pull:
    """A request for the journal after ``place``, up to ``max_bytes`` of it.

    ``digest``: the viewer takes states instead of events where the journal grows too fast to be read.
    """

    place: int | NamedPlace
    max_bytes: int
    digest: bool = False


def parse_pull(frame: str | bytes) -> Pull:
    """Parse a received frame; raises :class:`InvalidPull` with the reason."""
    fields = _fields(frame)
    unknown = sorted(set(fields) - {"pull", "max_bytes", "digest"})
    if unknown:
        raise _invalid(f"a pull has no field '{unknown[0][:40]}'", field=unknown[0][:40])
    return Pull(_place(fields.get("pull")), _max_bytes(fields.get("max_bytes")), _digest(fields.get("digest", False)))


def _fields(frame: str | bytes) -> dict[str, object]:
    if isinstance(frame, bytes):
        raise _invalid("the frame is binary")
    if len(frame) > PULL_BYTES_AT_MOST:
        raise _invalid(f"the frame is longer than {PULL_BYTES_AT_MOST} characters", characters=len(frame))
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise _invalid("the frame is not JSON") from error
    if not isinstance(fields, dict):
        raise _invalid("the frame is not a JSON object")
    return fields


def _place(value: object) -> int | NamedPlace:
    if value == "checkpoint":
        return "checkpoint"
    if value == "end":
        return "end"
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _invalid("pull must be an offset, 0 or more, or 'checkpoint' or 'end'", field="pull")
    return value


def _max_bytes(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= CREDIT_BYTES_AT_MOST:
        raise _invalid(f"max_bytes must be a whole number from 1 to {CREDIT_BYTES_AT_MOST}", field="max_bytes")
    return value


def _digest(value: object) -> bool:
    if not isinstance(value, bool):
        raise _invalid("digest must be true or false", field="digest")
    return value


def _invalid(message: str, **fields: str | int) -> InvalidPull:
    return InvalidPull(message, 'send text like {"pull": "checkpoint", "max_bytes": 262144}', **fields)
