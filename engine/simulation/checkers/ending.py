"""Checkers of how a run ends: when the failures are over, all is well again."""

from engine.simulation.evidence import Anomalies, Anomaly, Evidence
from engine.simulation.healing import behind


def everybody_catches_up(evidence: Evidence) -> Anomalies:
    """``not-caught-up``: a group has not read everything, or nobody reads a partition, although nothing fails now."""
    for sentence in behind(evidence.facts):
        yield Anomaly("not-caught-up", sentence)


def invariants_hold(evidence: Evidence) -> Anomalies:
    """``invariant-broken``: the cluster itself says that something is wrong."""
    for at_us, sentence in evidence.broken:
        yield Anomaly("invariant-broken", f"at {at_us} us: {sentence}")
