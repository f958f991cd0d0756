"""The fields of requests and responses; all integers are big-endian and signed."""

from struct import Struct, error

from engine.protocol.faults import MalformedRequest, MalformedResponse

_INT16 = Struct(">h")
_INT32 = Struct(">i")
_INT64 = Struct(">q")

Fault = type[MalformedRequest] | type[MalformedResponse]


class FieldReader:
    """A reader of consecutive fields; raises ``fault`` for a field that cannot be read."""

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
        """Read UTF-8 text after its length in bytes, an int16."""
        raw = self.raw(self.int16(), "a string")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as broken:
            raise self.failed("a string is not UTF-8") from broken

    def raw(self, size_bytes: int, what: str) -> bytes:
        """Read the next ``size_bytes`` as they are; ``what`` names them in the error."""
        if not 0 <= size_bytes <= self.remaining_bytes:
            raise self.failed(f"{what} of {size_bytes} bytes, where {self.remaining_bytes} are left")
        start = self._position
        self._position += size_bytes
        return self._data[start : self._position]

    def failed(self, reason: str) -> MalformedRequest | MalformedResponse:
        """Return the error for ``reason``, with the current position."""
        return self._fault(f"at byte {self._position}: {reason}", "follow the 0.7 protocol", position=self._position)

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
    """Encode ``text`` in UTF-8, after its length in bytes as an int16."""
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as broken:
        raise MalformedRequest("the string cannot be encoded in UTF-8", "use whole characters") from broken
    return int16(len(encoded)) + encoded


def _pack(field: Struct, value: int) -> bytes:
    try:
        return field.pack(value)
    except error as broken:
        raise MalformedRequest(
            f"{value} does not fit into {field.size} bytes", "use a smaller value", bytes=field.size
        ) from broken
