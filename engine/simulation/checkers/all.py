"""All checkers, one after the other."""

from collections.abc import Callable, Sequence

from engine.simulation.checkers import bookmarks, delivery, ending, flights, logs, ownership, pattern
from engine.simulation.evidence import Anomalies, Anomaly, Evidence

Checker = Callable[[Evidence], Anomalies]

CHECKERS: Sequence[Checker] = (
    logs.flushed_messages_stay,
    logs.acknowledged_messages_stay,
    logs.order_holds,
    logs.nothing_is_shown_before_its_flush,
    logs.delivered_bytes_are_those_appended,
    delivery.every_message_is_delivered_in_order,
    ownership.every_partition_has_one_owner,
    ownership.pulled_is_owned,
    bookmarks.bookmarks_follow_the_work,
    pattern.mirrors_commit_behind_their_work,
    pattern.the_warehouse_holds_each_message_once,
    flights.flights_end,
    ending.everybody_catches_up,
    ending.invariants_hold,
)


def find_anomalies(evidence: Evidence) -> list[Anomaly]:
    """Everything that any checker finds."""
    return [anomaly for checker in CHECKERS for anomaly in checker(evidence)]
