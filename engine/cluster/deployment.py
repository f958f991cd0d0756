"""What a cluster has beyond its live datacenter: registries, mirrors, loaders, auditors, and their results."""

from dataclasses import dataclass, field

from engine.events.base import Event
from engine.events.pipeline import AuditCounted, BatchMirrored, LatencyMeasured
from engine.ids import BrokerId, GroupId
from engine.pipeline.auditor import Auditor
from engine.pipeline.loader import Loader
from engine.pipeline.mirror import Route
from engine.registry.server import RegistryServer

LIVE = "live"
COUNTS_KEPT = 48
LATENCIES_KEPT = 12


@dataclass(slots=True)
class Deployment:
    """Everything outside the live datacenter; empty if there is no other.

    ``placements`` maps the brokers outside it to their datacenters. ``counts`` has the newest of each tier, topic and
    window, ``latencies`` the newest of each topic and window, both in order of emission.
    """

    registries: dict[str, RegistryServer] = field(default_factory=dict)
    placements: dict[BrokerId, str] = field(default_factory=dict)
    routes: dict[GroupId, Route] = field(default_factory=dict)
    acknowledgements: dict[GroupId, str] = field(default_factory=dict)
    mirrored: dict[GroupId, int] = field(default_factory=dict)
    loaders: dict[str, Loader] = field(default_factory=dict)
    auditors: dict[str, Auditor] = field(default_factory=dict)
    counts: list[AuditCounted] = field(default_factory=list)
    latencies: list[LatencyMeasured] = field(default_factory=list)

    @property
    def exists(self) -> bool:
        """Whether there is more than a live datacenter."""
        return bool(self.registries)

    def observe(self, event: Event) -> None:
        """Keep the results that a process of the deployment reports but does not keep."""
        match event:
            case AuditCounted(tier=tier, topic=topic, window_start_us=start_us):
                place = tier, topic, start_us
                kept = [one for one in self.counts if (one.tier, one.topic, one.window_start_us) != place]
                self.counts = [*kept, event][-COUNTS_KEPT:]
            case LatencyMeasured(topic=topic, window_start_us=start_us):
                others = [one for one in self.latencies if (one.topic, one.window_start_us) != (topic, start_us)]
                self.latencies = [*others, event][-LATENCIES_KEPT:]
            case BatchMirrored(group=group, messages=messages):
                self.mirrored[GroupId(group)] += messages
