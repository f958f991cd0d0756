"""The checker of what is on its way: everything that sets out arrives, fails or is dropped."""

from engine.simulation.evidence import Anomalies, Anomaly, Evidence, Told

DEPARTURES = {
    "batch_sent": "batch",
    "batch_mirrored": "batch",
    "pull_sent": "pull",
    "pull_answered": "pulled",
    "batch_queued": "disk",
    "batch_acknowledged": "ack",
    "fetch_sent": "fetch",
    "fetch_answered": "answer",
    "commit_sent": "commit",
    "watch_fired": "watch",
}
"""What an event sets on its way; the flight's name is this and its number."""
NUMBERS = {"disk": "batch", "ack": "batch", "answer": "fetch", "pulled": "pull"}
ENDINGS = {
    "batch_queued": ("batch",),
    "batch_appended": ("batch", "disk"),
    "batch_lost": ("batch", "disk"),
    "batch_acknowledged": ("batch", "disk"),
    "acknowledgement_received": ("ack",),
    "fetch_answered": ("fetch",),
    "fetch_received": ("answer",),
    "fetch_failed": ("fetch", "answer"),
    "commit_landed": ("commit",),
    "watch_delivered": ("watch",),
    "pull_answered": ("pull",),
    "pull_received": ("pull", "pulled"),
    "pull_failed": ("pull", "pulled"),
}
"""Which flights an event ends."""
LATE_PERHAPS = ("timeout", "not_acknowledged")
"""Reasons for giving something up that may still be on its way, and has an end of its own then."""


def flights_end(evidence: Evidence) -> Anomalies:
    """``endless-flight``: something that was sent should have arrived by the end of the run, and never did.

    ``forgotten-flight``: the journal and the cluster do not agree on what is on its way.
    """
    flights: dict[str, Told] = {}
    for event in evidence.events:
        kind = event["event"]
        if kind == "message_dropped":
            flights.pop(event["flight"], None)
        for flight in () if event.get("reason") in LATE_PERHAPS else ENDINGS.get(kind, ()):
            flights.pop(f"{flight}:{_number(flight, event)}", None)
        if kind in DEPARTURES:
            flight = DEPARTURES[kind]
            flights[f"{flight}:{_number(flight, event)}"] = event
    for name, departure in flights.items():
        if departure["due_us"] < evidence.end_us:
            yield Anomaly("endless-flight", f"{name} was due at {departure['due_us']}", (departure,))
    for name in sorted(set(flights) ^ set(evidence.state["flights"])):
        told = (flights[name],) if name in flights else ()
        yield Anomaly("forgotten-flight", f"{name} is known to {'the journal' if told else 'the cluster'} only", told)


def _number(flight: str, event: Told) -> int:
    return int(event[NUMBERS.get(flight, flight)])
