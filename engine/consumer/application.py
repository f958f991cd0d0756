"""What stands behind a consumer's streams and does something with the messages."""

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.ids import ConsumerId, TopicPartition
from engine.message.message_set import Message
from engine.runtime.scheduler import ProcessTime


class Application(Protocol):
    """The work behind a consumer. It lives and dies with the consumer's process."""

    def accepts(self, partition: TopicPartition) -> bool:
        """Whether messages of a partition can be worked on now; if not, they wait and pulling stops behind them."""

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Work on messages that begin at ``offset``; the consumed position lies behind them when this returns."""

    def hand_over(self) -> None:
        """Finish with everything that was taken: consumed positions are about to be committed."""

    def settled_offset(self, partition: TopicPartition, consumed_offset: int) -> int:
        """How far everything is finished, the consumed position at most: what is committed."""

    def release(self) -> None:
        """All partitions are given up: finish what can be finished at once; what cannot is forgotten afterwards."""

    def move(self, partition: TopicPartition) -> None:
        """The position was set anew: what is not finished of a partition holds it back no more."""

    def forget(self) -> None:
        """Drop what was taken and not finished: another will be given these messages again."""

    def leave(self) -> None:
        """The process ends in good order."""

    def vanish(self) -> None:
        """The process is gone: no timer goes on, no word is said."""


class Reading:
    """An application whose work is nothing but the time it takes."""

    def accepts(self, partition: TopicPartition) -> bool:
        """Always."""
        return True

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Read; the stream has counted the time."""

    def hand_over(self) -> None:
        """Nothing is ever unfinished."""

    def settled_offset(self, partition: TopicPartition, consumed_offset: int) -> int:
        """All of it."""
        return consumed_offset

    def release(self) -> None:
        """Nothing is ever unfinished."""

    def move(self, partition: TopicPartition) -> None:
        """Nothing is ever unfinished."""

    def forget(self) -> None:
        """Nothing is ever unfinished."""

    def leave(self) -> None:
        """Nothing else runs."""

    def vanish(self) -> None:
        """Nothing else runs."""


MakeApplication = Callable[[ConsumerId, ProcessTime, Callable[[], None]], Application]
"""Start the application of a consumer over its process's time; it calls back when it accepts messages again."""


def just_reading(consumer: ConsumerId, time: ProcessTime, on_ready: Callable[[], None]) -> Application:
    """The application of a consumer of which nothing else is said."""
    return Reading()
