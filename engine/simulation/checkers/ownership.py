"""Checkers of ownership: one consumer of a group fetches a partition, and none acts while it is suspended."""

from engine.registry import paths
from engine.simulation.checkers.jumps import Jumps
from engine.simulation.history import Anomalies, Anomaly, History, JournalEvent, partition_of

ACTIONS = frozenset({"fetch_sent", "fetch_received", "messages_taken", "messages_consumed", "commit_sent"})
ENDS = frozenset({"consumer_crashed", "consumer_closed", "consumer_added"})
NEVER = -1


class Ownership:
    """A checker that follows which consumer fetches which partition.

    A consumer that lost a partition while it was suspended may only stop fetching it. A consumer whose session was
    expired by command is excused until the notification can have arrived.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._fetching: dict[tuple[str, str], dict[str, JournalEvent]] = {}
        self._superseded: dict[tuple[str, str, str], JournalEvent] = {}
        self._frozen_until_us: dict[tuple[str, str], int] = {}
        self._jumps = Jumps(history)

    def anomalies(self) -> Anomalies:
        """Go through the journal once."""
        for event in self._history.events:
            kind = event["event"]
            self._jumps.take(event)
            if kind == "consumer_frozen":
                self._frozen_until_us[(event["group"], event["consumer"])] = event["until_us"]
            elif kind in ENDS:
                self._end(event)
            elif kind == "fetching_started":
                yield from self._start(event)
            elif kind == "fetching_stopped":
                self._stop(event["group"], event["consumer"], partition_of(event))
            elif kind in ACTIONS:
                yield from self._check_action(event)

    def _end(self, event: JournalEvent) -> None:
        group, consumer = event["group"], event["consumer"]
        self._frozen_until_us.pop((group, consumer), None)
        for of_group, partition in list(self._fetching):
            if of_group == group:
                self._stop(group, consumer, partition)

    def _stop(self, group: str, consumer: str, partition: str) -> None:
        self._fetching.get((group, partition), {}).pop(consumer, None)
        self._superseded.pop((group, consumer, partition), None)

    def _start(self, event: JournalEvent) -> Anomalies:
        group, partition = event["group"], partition_of(event)
        fetching = self._fetching.setdefault((group, partition), {})
        for other, since in list(fetching.items()):
            if self._frozen_until_us.get((group, other), NEVER) > event["at_us"]:
                self._superseded[(group, other, partition)] = event
                del fetching[other]
            elif not any(self._jumps.may_not_know(group, one, event["at_us"]) for one in (other, event["consumer"])):
                sentence = f"{partition} is fetched by {event['consumer']} and still by {other} of {group}"
                yield Anomaly("owned-twice", sentence, (since, event))
        fetching[event["consumer"]] = event

    def _check_action(self, event: JournalEvent) -> Anomalies:
        group, consumer = event["group"], event["consumer"]
        if event["at_us"] < self._frozen_until_us.get((group, consumer), NEVER):
            yield Anomaly("acted-while-frozen", f"{group}/{consumer} is frozen", (event,))
        by = self._superseded.get((group, consumer, partition_of(event)))
        if by is not None and not self._jumps.may_not_know(group, consumer, event["at_us"]):
            sentence = f"{consumer} of {group} continues with {partition_of(event)} after {by['consumer']} claimed it"
            yield Anomaly("owned-twice", sentence, (by, event))


def every_partition_has_one_owner(history: History) -> Anomalies:
    """Find ``owned-twice``: two consumers of a group fetch one partition at the same time.

    ``acted-while-frozen``: a process did something while it was suspended.
    """
    return Ownership(history).anomalies()


def fetched_is_owned(history: History) -> Anomalies:
    """Find ``fetched-unclaimed``: a consumer began to fetch a partition without being its owner in the registry."""
    owners: dict[str, str] = {}
    brokers: dict[str, list[int]] = {}
    jumps = Jumps(history)
    for event in history.events:
        kind = event["event"]
        jumps.take(event)
        if kind == "topic_added":
            brokers[event["topic"]] = event["brokers"]
        elif kind in ("node_created", "node_changed") and "/owners/" in event["path"]:
            owners[event["path"]] = event["value"]
        elif kind == "node_deleted":
            owners.pop(event["path"], None)
        elif kind == "fetching_started":
            node = f"{brokers[event['topic']][event['partition']]}-{event['partition']}"
            path = f"/consumers/{event['group']}/owners/{event['topic']}/{node}"
            owner = owners.get(path, "")
            excused = jumps.may_not_know(event["group"], event["consumer"], event["at_us"])
            if paths.stream_consumer(owner) != event["consumer"] and not excused:
                sentence = f"the owner of {partition_of(event)} in the registry is {owner or 'no consumer'}"
                yield Anomaly("fetched-unclaimed", sentence, (event,))
