"""The checker of the cluster's own invariants."""

from engine.simulation.history import Anomalies, Anomaly, History


def invariants_hold(history: History) -> Anomalies:
    """Find ``invariant-broken``: the cluster's own check found a broken invariant."""
    for at_us, sentence in history.broken:
        yield Anomaly("invariant-broken", f"at {at_us} us: {sentence}")
