"""Reading a log on behalf of many who are mostly at the same place."""

from collections import OrderedDict
from typing import Final, NamedTuple

from engine.decoding import Message, iterate_messages
from engine.errors import OffsetscopeError
from engine.storage.log import Log

CHUNKS_KEPT: Final = 8


class Chunk(NamedTuple):
    """The messages from ``offset`` on, and where to read on behind them.

    ``messages`` are (next offset, payload), as :func:`~engine.decoding.iterate_messages` gives them.
    """

    offset: int
    next_offset: int
    messages: tuple[Message, ...]


class SharedReader:
    """A reader of one log for any number of consumers in this process, who share each read and each decode.

    Consumers that follow a log's end ask for the same bytes one after the other, and taking them apart is most of the
    work. Flushed bytes do not change, so a chunk that was good once is good for the next one. Only the newest few are
    kept.
    """

    def __init__(self, log: Log, *, chunks_kept: int = CHUNKS_KEPT) -> None:
        self._log = log
        self._chunks_kept = chunks_kept
        self._chunks: OrderedDict[tuple[int, int], Chunk] = OrderedDict()

    def read(self, offset: int, max_bytes: int) -> Chunk:
        """The whole messages that :meth:`Log.read <engine.storage.log.Log.read>` finds there, every CRC checked.

        Raises what that raises. Messages before a damaged one are handed out; the read that begins at it raises
        :class:`~engine.errors.InvalidMessage` or :class:`~engine.errors.InvalidMessageSize`.
        """
        key = (offset, self._log.locate(offset, max_bytes).size_bytes)
        chunk = self._chunks.get(key)
        if chunk is None:
            chunk = self._chunks[key] = _decoded(self._log.read(*key), offset)
            if len(self._chunks) > self._chunks_kept:
                self._chunks.popitem(last=False)
        return chunk


def _decoded(data: bytes, offset: int) -> Chunk:
    messages: list[Message] = []
    try:
        messages.extend(iterate_messages(data, offset))
    except OffsetscopeError:
        if not messages:
            raise
    return Chunk(offset, messages[-1][0] if messages else offset, tuple(messages))
