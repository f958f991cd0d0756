"""The fields that requests and responses are made of; all integers are big-endian and signed."""

from struct import Struct, error

from engine.protocol.faults import MalformedRequest, MalformedResponse

_INT16 = Struct(">h")
_INT32 = Struct(">i")
_INT64 = Struct(">q")

Fault = type[MalformedRequest] | type[MalformedResponse]


class FieldReader:
    """A place in some bytes, moved on by each field that is read; raises ``fault`` where a field cannot be."""

    def __init__(self, data: bytes, fault: Fault) -> None:
        self._data = data
        self._fault = fault
        self._position = 0

    @property
    def remaining_bytes(self) -> int:
        return len(self._data) - self._position

    def int16(self) -> int:
        return self._unpack(_INT16)

    def int32(self) -> int:
        return self._unpack(_INT32)

    def int64(self) -> int:
        return self._unpack(_INT64)

    def string(self) -> str:
        """UTF-8 behind its length in bytes, an int16."""
        raw = self.raw(self.int16(), "a string")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as broken:
            raise self.failed("a string is not UTF-8") from broken

    def raw(self, size_bytes: int, what: str) -> bytes:
        """The next ``size_bytes`` as they are; ``what`` they are is said in the error."""
        if not 0 <= size_bytes <= self.remaining_bytes:
            raise self.failed(f"{what} of {size_bytes} bytes, where {self.remaining_bytes} are left")
        start = self._position
        self._position += size_bytes
        return self._data[start : self._position]

    def failed(self, reason: str) -> MalformedRequest | MalformedResponse:
        """The error for ``reason``, which names the place."""
        return self._fault(
            f"at byte {self._position}: {reason}", "send what the 0.7 protocol lays down", position=self._position
        )

    def _unpack(self, field: Struct) -> int:
        if field.size > self.remaining_bytes:
            raise self.failed(f"a field of {field.size} bytes, where {self.remaining_bytes} are left")
        value: int = field.unpack_from(self._data, self._position)[0]
        self._position += field.size
        return value


def int16(value: int) -> bytes:
    return _pack(_INT16, value)


def int32(value: int) -> bytes:
    return _pack(_INT32, value)


def int64(value: int) -> bytes:
    return _pack(_INT64, value)


def string(text: str) -> bytes:
    """``text`` in UTF-8, its length in bytes as an int16 before it."""
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as broken:
        raise MalformedRequest("the string has no UTF-8", "use whole characters") from broken
    return int16(len(encoded)) + encoded


def _pack(field: Struct, value: int) -> bytes:
    try:
        return field.pack(value)
    except error as broken:
        raise MalformedRequest(
            f"{value} does not fit into {field.size} bytes", "use a smaller value", bytes=field.size
        ) from broken
