"""What a cluster has beyond its live datacenter: registries, mirrors, loaders, auditors, and what these found out."""

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
    """Everything outside the live datacenter; empty where there is nothing of it.

    ``placements`` has the brokers that stand elsewhere. ``counts`` and ``latencies`` are the newest of their kind, one
    for each tier and window, in order of telling.
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
        """Keep what an actor of the deployment tells and no actor remembers."""
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
