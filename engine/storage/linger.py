"""Appending single messages at the speed of batches."""

from collections.abc import Sequence
from operator import countOf
from typing import Final

from engine.message.encoding import encode_alike, encode_entries
from engine.message.format import PLAIN_OVERHEAD_BYTES
from engine.storage.log import Log

LINGER_BYTES: Final = 64 * 1024

_OF_DIFFERENT_LENGTHS: Final = -1


class LingerBuffer:
    """Payloads on their way into a log, held back until there are enough of them for one write.

    A write costs the system about as much for one message as for ten. Who appends one by one and needs no message to
    be in the file at once gains a factor of three here. The price, which is why nobody gets this unasked: a crash of
    the process takes what the buffer holds, where a log's own messages have left the process. Readers lose nothing,
    since they see flushed messages only.

    While there is a buffer, append to the log through it alone. Raises what :class:`~engine.storage.log.Log` raises.
    """

    __slots__ = (
        "_drain_beyond_offset",
        "_linger_bytes",
        "_log",
        "_max_message_bytes",
        "_next_offset",
        "_payload_bytes",
        "_payloads",
    )

    def __init__(self, log: Log, linger_bytes: int = LINGER_BYTES) -> None:
        """Hold back up to ``linger_bytes``, nine for each message included."""
        self._log = log
        self._linger_bytes = linger_bytes
        self._max_message_bytes = log.max_message_bytes
        self._payloads: list[bytes] = []
        self._payload_bytes = _OF_DIFFERENT_LENGTHS  # what all of them have, if they do
        self._next_offset = log.next_offset
        self._drain_beyond_offset = self._next_offset + linger_bytes

    @property
    def next_offset(self) -> int:
        """Where the next append goes."""
        return self._next_offset

    @property
    def held_messages(self) -> int:
        """Messages that are in the buffer and nowhere else."""
        return len(self._payloads)

    def append_payload(self, payload: bytes) -> int:
        """Take one message and return the offset where it will stand."""
        size = len(payload)
        if size != self._payload_bytes:
            if size > self._max_message_bytes:
                self._log.require_size(size)
            self._payload_bytes = _OF_DIFFERENT_LENGTHS if self._payloads else size
        offset = self._next_offset
        self._payloads.append(payload)
        self._next_offset = next_offset = offset + 9 + size
        if next_offset > self._drain_beyond_offset:
            self.drain()
        return offset

    def append_payloads(self, payloads: Sequence[bytes]) -> int:
        """Take several messages, all of them or none; returns the offset where the first will stand."""
        count = len(payloads)
        alike_bytes = self._payload_bytes
        if alike_bytes != _OF_DIFFERENT_LENGTHS and countOf(map(len, payloads), alike_bytes) == count:
            size = count * alike_bytes
        else:
            size = self._measure(payloads)
        offset = self._next_offset
        self._payloads += payloads
        self._next_offset = next_offset = offset + PLAIN_OVERHEAD_BYTES * count + size
        if next_offset > self._drain_beyond_offset:
            self.drain()
        return offset

    def _measure(self, payloads: Sequence[bytes]) -> int:
        """The sum of the lengths, each of which must be within the limit; sees whether all that is held is alike."""
        lengths = list(map(len, payloads))
        if not lengths:
            return 0
        self._log.require_size(max(lengths))
        alike = not self._payloads and lengths.count(lengths[0]) == len(lengths)
        self._payload_bytes = lengths[0] if alike else _OF_DIFFERENT_LENGTHS
        return sum(lengths)

    def drain(self) -> None:
        """Hand everything to the log, as one set. What the disk refuses stays in the buffer."""
        encode = encode_entries if self._payload_bytes == _OF_DIFFERENT_LENGTHS else encode_alike
        self._log.append_encoded(encode(self._payloads), len(self._payloads))
        self._payloads.clear()
        self._drain_beyond_offset = self._next_offset + self._linger_bytes

    def flush(self) -> int:
        """Drain, then flush the log; returns its ``flushed_offset``."""
        self.drain()
        return self._log.flush()

    def close(self) -> None:
        """Drain, then close the log."""
        try:
            self.drain()
        finally:
            self._log.close()
