"""Errors in bytes on the wire, and the error codes of 0.7 (common/ErrorMapping.scala)."""

from typing import Final

from engine.errors import InvalidMessage, InvalidMessageSize, OffsetOutOfRange, OffsetscopeError, UnknownPartition


class MalformedRequest(OffsetscopeError):
    """The bytes of a request are inconsistent, or a value does not fit into its field."""

    code = "malformed_request"


class MalformedResponse(OffsetscopeError):
    """The bytes of a response are inconsistent, or do not match the request."""

    code = "malformed_response"


class FrameSizeRefused(OffsetscopeError):
    """A length field is not positive, or over the limit (0.7 closes the connection)."""

    code = "frame_size_refused"


class InvalidFetchSize(OffsetscopeError):
    """A fetch requested fewer than zero bytes (code 4; 0.7 sends a nonsensical response)."""

    code = "invalid_fetch_size"


class UnknownServerFault(OffsetscopeError):
    """The broker failed and has no code to say why (code -1)."""

    code = "unknown_server_fault"


UNKNOWN: Final = -1
NO_ERROR: Final = 0
OFFSET_OUT_OF_RANGE: Final = 1
INVALID_MESSAGE: Final = 2
WRONG_PARTITION: Final = 3
INVALID_FETCH_SIZE: Final = 4

_CODES: tuple[tuple[type[OffsetscopeError], int], ...] = (
    (OffsetOutOfRange, OFFSET_OUT_OF_RANGE),
    (InvalidMessage, INVALID_MESSAGE),
    (UnknownPartition, WRONG_PARTITION),
    (InvalidMessageSize, INVALID_FETCH_SIZE),
    (InvalidFetchSize, INVALID_FETCH_SIZE),
)


def code_of(error: OffsetscopeError) -> int:
    """Return the code that reports ``error`` to a client; :data:`UNKNOWN` if 0.7 has none."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNKNOWN)


def error_of(code: int, topic: str, partition: int, offset: int) -> OffsetscopeError:
    """Return the error that ``code`` reports for a fetch; ``code`` must not be :data:`NO_ERROR`."""
    assert code != NO_ERROR
    place = f"{topic}-{partition}"
    if code == OFFSET_OUT_OF_RANGE:
        return OffsetOutOfRange(
            f"offset {offset} is outside the log of {place}",
            "request the smallest or the largest offset from the broker, and continue from there",
            offset=offset,
            partition=place,
        )
    if code == INVALID_MESSAGE:
        return InvalidMessage(
            f"the message at offset {offset} of {place} is damaged", "skip it, or restore the log", offset=offset
        )
    if code == WRONG_PARTITION:
        return UnknownPartition(
            f"the broker has no partition {partition} of {topic}",
            "use a partition from 0 up to the broker's number of partitions",
            partition=place,
        )
    if code == INVALID_FETCH_SIZE:
        return InvalidFetchSize(
            f"the broker refused the size of the fetch from {place}", "request zero bytes or more", partition=place
        )
    return UnknownServerFault(
        f"the broker failed to serve the fetch from {place} (code {code})",
        "check the broker's log",
        error_code=code,
    )


def error_name(code: int, topic: str, partition: int, offset: int) -> str:
    """Return the name of the error that ``code`` reports for a fetch, "" for :data:`NO_ERROR`."""
    return "" if code == NO_ERROR else error_of(code, topic, partition, offset).code
