"""All checkers, one after the other."""

from collections.abc import Callable, Sequence

from engine.simulation.checkers import (
    catching_up,
    committed_offsets,
    counts,
    delivery,
    deployment,
    flights,
    invariants,
    logs,
    ownership,
)
from engine.simulation.history import Anomalies, Anomaly, History

Checker = Callable[[History], Anomalies]

CHECKERS: Sequence[Checker] = (
    logs.flushed_messages_stay,
    logs.acknowledged_messages_stay,
    logs.order_holds,
    logs.nothing_is_shown_before_its_flush,
    logs.delivered_bytes_are_those_appended,
    delivery.every_message_is_delivered_in_order,
    ownership.every_partition_has_one_owner,
    ownership.fetched_is_owned,
    committed_offsets.committed_offsets_follow_the_work,
    deployment.mirrors_commit_behind_their_work,
    deployment.the_warehouse_holds_each_message_once,
    flights.each_flight_ends_once,
    counts.counts_match_the_files,
    catching_up.everything_catches_up,
    invariants.invariants_hold,
)


def find_anomalies(history: History) -> list[Anomaly]:
    """Return the anomalies that all checkers find."""
    return [anomaly for checker in CHECKERS for anomaly in checker(history)]
