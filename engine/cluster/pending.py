"""The bytes of messages that are in memory only: accepted or sent, and not yet in a file or at their reader."""

from typing import Final

from engine.cluster.state import ClusterState
from engine.events.consuming import FetchAnswered
from engine.events.pipeline import BatchMirrored
from engine.events.producing import BatchSent
from engine.events.simple_consuming import MultiFetchAnswered

MOST_PENDING_BYTES: Final = 32 * 1024 * 1024
"""The limit above which sending is refused: time may be paused, or a broker suspended, while people send."""


def pending_bytes(state: ClusterState) -> int:
    """Return the bytes that wait in the producer, travel, wait at a suspended process, or wait for a slow disk."""
    travelling = sum(
        flight.bytes
        for _, flight in state.network.flights
        if isinstance(flight, BatchSent | BatchMirrored | FetchAnswered | MultiFetchAnswered)
    )
    return travelling + state.producer.waiting_bytes + sum(broker.queued_bytes for broker in state.brokers.values())
