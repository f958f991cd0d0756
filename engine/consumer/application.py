"""The application of a consumer: what processes the messages of its streams."""

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.ids import ConsumerId, TopicPartition
from engine.message.message_set import Message
from engine.runtime.process import ProcessTime


class Application(Protocol):
    """The application of a consumer. It runs in the consumer's process and ends with it."""

    def accepts(self, partition: TopicPartition) -> bool:
        """Whether messages of a partition can be processed now; if not, they wait, and fetching stops behind them."""

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Process messages that begin at ``offset``; the consumed position is after them when this returns."""

    def flush(self) -> None:
        """Finish everything that was taken: consumed positions are about to be committed."""

    def offset_to_commit(self, partition: TopicPartition, consumed_offset: int) -> int:
        """The offset to commit: everything before it is finished. At most the consumed position."""

    def release(self) -> None:
        """Release all partitions: finish what can be finished at once; :meth:`forget` then drops the rest."""

    def move(self, partition: TopicPartition) -> None:
        """Handle a changed position: unfinished messages of the partition no longer hold back its committed offset."""

    def forget(self) -> None:
        """Drop what was taken and not finished: the next owner receives these messages again."""

    def close(self) -> None:
        """Shut down cleanly with the process."""

    def crash(self) -> None:
        """Crash with the process: cancel all timers and send nothing."""


class Reading:
    """An application that does nothing with messages; only the time counts."""

    def accepts(self, partition: TopicPartition) -> bool:
        """Always true."""
        return True

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Do nothing; the stream has accounted for the time."""

    def flush(self) -> None:
        """Do nothing: no message is ever unfinished."""

    def offset_to_commit(self, partition: TopicPartition, consumed_offset: int) -> int:
        """The consumed position."""
        return consumed_offset

    def release(self) -> None:
        """Do nothing: no message is ever unfinished."""

    def move(self, partition: TopicPartition) -> None:
        """Do nothing: no message is ever unfinished."""

    def forget(self) -> None:
        """Do nothing: no message is ever unfinished."""

    def close(self) -> None:
        """Do nothing: nothing else runs."""

    def crash(self) -> None:
        """Do nothing: nothing else runs."""


MakeApplication = Callable[[ConsumerId, ProcessTime, Callable[[], None]], Application]
"""Starts a consumer's application on its process's time; it calls back when it accepts messages again."""


def just_reading(consumer: ConsumerId, time: ProcessTime, on_ready: Callable[[], None]) -> Application:
    """Make the default application of a consumer."""
    return Reading()
