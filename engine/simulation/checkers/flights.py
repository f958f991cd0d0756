"""The checker of flights: every message that is sent ends exactly once (docs/journal.md, "In flight")."""

from collections import defaultdict

from engine.simulation.history import Anomalies, Anomaly, History, JournalEvent

DEPARTURES = {
    "batch_sent": "batch",
    "batch_mirrored": "batch",
    "batch_queued": "disk",
    "batch_acknowledged": "ack",
    "fetch_sent": "fetch",
    "fetch_answered": "answer",
    "multi_fetch_sent": "multi_fetch",
    "multi_fetch_answered": "multi_fetch_answer",
    "commit_sent": "commit",
    "watch_fired": "watch",
    "load_begun": "load",
}
"""The kind of flight that an event starts; the flight's name is this and its number."""
NUMBERS = {"disk": "batch", "ack": "batch", "answer": "fetch", "multi_fetch_answer": "multi_fetch"}
ENDINGS = {
    "batch_queued": ("batch",),
    "batch_appended": ("batch", "disk"),
    "batch_lost": ("batch", "disk"),
    "acknowledgement_received": ("ack",),
    "fetch_answered": ("fetch",),
    "fetch_received": ("answer",),
    "fetch_failed": ("fetch", "answer"),
    "multi_fetch_answered": ("multi_fetch",),
    "multi_fetch_received": ("multi_fetch_answer",),
    "multi_fetch_failed": ("multi_fetch", "multi_fetch_answer"),
    "commit_landed": ("commit",),
    "watch_delivered": ("watch",),
    "load_committed": ("load",),
}
"""The flights that an event may end: the one of them that is in flight."""
FAILURES = ("batch_lost", "fetch_failed", "multi_fetch_failed")
TIMED_OUT = ("timeout", "not_acknowledged")
"""Reasons of a sender that timed out: its message may still be in flight, and then has its own end."""
NOT_SENT = "no_broker_available"
SEVERAL_TIMES = ("commit",)
"""Flights that may be sent again under their number while in flight; each departure has its own end."""


class Flights:
    """Everything in flight, folded from the journal."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._in_flight: defaultdict[str, list[JournalEvent]] = defaultdict(list)
        self._ended: dict[str, JournalEvent] = {}
        self._failed: dict[str, JournalEvent] = {}
        """The last failure of a batch, a fetch or a multi-fetch, by its first flight's name."""

    def anomalies(self) -> Anomalies:
        """Go through the journal once."""
        for event in self._history.events:
            kind = event["event"]
            if kind == "message_dropped" and event["flight"]:
                yield from self._end((event["flight"],), event)
            elif kind == "loader_crashed":
                self._drop_loads(event["loader"])
            elif kind == "batch_acknowledged" and event["error"]:
                yield from self._end((f"batch:{event['batch']}", f"disk:{event['batch']}"), event)
            elif kind in ENDINGS:
                yield from self._land(event)
            if kind in DEPARTURES:
                yield from self._depart(_name(DEPARTURES[kind], event), event)
        yield from self._never_ended()

    def _depart(self, name: str, event: JournalEvent) -> Anomalies:
        if self._in_flight[name] and not name.startswith(SEVERAL_TIMES):
            yield Anomaly("ended-twice", f"{name} departs and is in flight already", (*self._in_flight[name], event))
        self._in_flight[name].append(event)

    def _land(self, event: JournalEvent) -> Anomalies:
        names = tuple(_name(flight, event) for flight in ENDINGS[event["event"]])
        reason = event["reason"] if event["event"] in FAILURES else ""
        if reason:
            before = self._failed.get(names[0])
            self._failed[names[0]] = event
            if before is not None and (before["reason"] not in TIMED_OUT or reason in TIMED_OUT):
                yield Anomaly("ended-twice", f"{names[0]} failed before", (before, event))
                return
        if not (reason in TIMED_OUT or self._is_known_to_have_ended(names, event)):
            yield from self._end(names, event)

    def _is_known_to_have_ended(self, names: tuple[str, ...], event: JournalEvent) -> bool:
        """Return whether an event may follow the end of its flight.

        A batch is reported lost after its flight was dropped by the network, was refused by a broker's response, or was
        never sent. A dropped watch notification is sent again; the repetition is not in the picture.
        """
        if any(self._in_flight[name] for name in names):
            return False
        ends = {self._ended[name]["event"] for name in names if name in self._ended}
        match event["event"]:
            case "batch_lost":
                return bool(ends & {"message_dropped", "batch_acknowledged"}) or (
                    event["reason"] == NOT_SENT and not ends
                )
            case "watch_delivered":
                return ends == {"message_dropped"}
            case _:
                return False

    def _end(self, names: tuple[str, ...], event: JournalEvent) -> Anomalies:
        flying = [name for name in names if self._in_flight[name]]
        if flying:
            self._in_flight[flying[0]].pop(0)
        else:
            before = [self._ended[name] for name in names if name in self._ended]
            sentence = f"{' or '.join(names)} is not in flight" + (", it has ended before" if before else "")
            yield Anomaly("ended-twice", sentence, (*before, event))
        for name in names:
            self._ended[name] = event

    def _drop_loads(self, loader: str) -> None:
        """Remove a loader's flights: a crash rolls the open transaction back."""
        for departures in self._in_flight.values():
            departures[:] = [one for one in departures if one["event"] != "load_begun" or one["loader"] != loader]

    def _never_ended(self) -> Anomalies:
        in_flight = {name: departures[0] for name, departures in self._in_flight.items() if departures}
        for name, departure in in_flight.items():
            if departure["due_us"] < self._history.end_us:
                yield Anomaly("endless-flight", f"{name} was due at {departure['due_us']}", (departure,))
        for name in sorted(in_flight.keys() ^ self._history.state["flights"].keys()):
            where, shown = ("the journal", (in_flight[name],)) if name in in_flight else ("the cluster", ())
            yield Anomaly("forgotten-flight", f"{name} is in flight in {where} only", shown)


def _name(flight: str, event: JournalEvent) -> str:
    return f"{flight}:{event[NUMBERS.get(flight, flight)]}"


def each_flight_ends_once(history: History) -> Anomalies:
    """Find ``endless-flight``: a message was due before the end of the run and never arrived.

    ``ended-twice``: an event ends a flight that has ended before or was never sent.
    ``forgotten-flight``: the journal and the cluster disagree on what is in flight.
    """
    return Flights(history).anomalies()
