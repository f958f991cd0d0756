"""Building the deployment pattern of the paper (section 4) into a cluster, part by part.

Live datacenter: brokers, producers with a monitor. Analysis datacenter: a registry and brokers of its own, mirrors that
fetch from the live one. Behind it: a warehouse and its loader. Each tier that is a log has an auditor.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.cluster.deployment import LIVE
from engine.cluster.state import ClusterState
from engine.events.pipeline import AuditorAdded, DatacenterAdded, LoaderAdded, MirrorAdded, MirrorChanged
from engine.ids import ConsumerId, GroupId
from engine.pipeline.audit import ProducerMonitor
from engine.pipeline.auditor import Auditor
from engine.pipeline.loader import Loader, Sources
from engine.pipeline.mirror import Mirror, Route
from engine.pipeline.warehouse import Warehouse
from engine.producer.async_queue import Record
from engine.producer.page_views import PageViews
from engine.registry.server import ADDRESS as LIVE_REGISTRY
from engine.registry.server import RegistryServer
from engine.runtime.process import ProcessTime

NO_KEY = ""


class Deployer:
    """The builder of everything outside a cluster's live datacenter."""

    def __init__(self, state: ClusterState, page_views: PageViews, directory: Path) -> None:
        self._state = state
        self._machine = state.machine
        self._emit = state.machine.emit
        self._page_views = page_views
        self._directory = directory

    @property
    def _now_us(self) -> int:
        return self._state.scheduler.now_us

    def add_datacenter(self, datacenter: str) -> None:
        """Start another datacenter with a registry of its own, without brokers yet."""
        address, chroot = f"{LIVE_REGISTRY}:{datacenter}", f"/{datacenter}"
        self._state.deployment.registries[datacenter] = RegistryServer(self._machine, address, chroot)
        self._emit(DatacenterAdded(self._now_us, datacenter, address, chroot))

    def make_mirrors(self, group: GroupId, copies: Mapping[str, str]) -> None:
        """Make the later consumers of a group, still empty, mirrors: ``copies`` maps their topics to the copies."""
        state = self._state
        registry = state.registry_of_topic(next(iter(copies.values())))
        acknowledgements = state.deployment.acknowledgements
        acknowledgements[group] = state.config.deployment.mirror_acknowledgement
        route = Route(copies, registry.address, state.topics.__getitem__, lambda: acknowledgements[group])

        def start(consumer: ConsumerId, time: ProcessTime, on_ready: Callable[[], None]) -> Mirror:
            return Mirror(consumer, self._machine, time, on_ready, route)

        state.groups[group].application = start
        state.deployment.routes[group] = route
        state.deployment.mirrored[group] = 0
        self._emit(MirrorAdded(self._now_us, group, tuple(copies.items()), acknowledgements[group]))

    def change_mirrors(self, group: GroupId, acknowledgement: str) -> None:
        """Let a group's mirrors ask for acknowledgements (``broker``) or not (``none``), from the next set on."""
        self._state.deployment.acknowledgements[group] = acknowledgement
        self._emit(MirrorChanged(self._now_us, group, acknowledgement))

    def add_loader(self, name: str, sources: Sources) -> Loader:
        """Add a loader with its own warehouse file; it is not started yet."""
        state = self._state
        path = self._directory / f"warehouse-{len(state.deployment.loaders) + 1}.sqlite3"
        layout = state.topics.__getitem__
        loader = Loader(name, sources, self._machine, layout, lambda: Warehouse.open(path))
        state.deployment.loaders[name] = loader
        self._emit(LoaderAdded(self._now_us, name, sources.topics))
        return loader

    def add_auditor(self, tier: str, sources: Sources) -> None:
        """Add an auditor for a tier; it starts at once."""
        state = self._state
        layout = state.topics.__getitem__
        state.deployment.auditors[tier] = Auditor(tier, sources, self._machine, layout)
        self._emit(AuditorAdded(self._now_us, tier, sources.topics))

    def monitor_producer(self, server: str, monitoring: str) -> None:
        """Name the producer's server in its stamps, and publish the producer's counts to the topic ``monitoring``."""
        state = self._state
        self._page_views.server = server

        def publish(payload: bytes) -> None:
            state.producer.send(monitoring, [Record(NO_KEY, payload)])

        monitor = ProducerMonitor(state.scheduler, state.config.deployment, LIVE, publish)

        def note(topic: str, records: Sequence[Record]) -> None:
            if topic != monitoring:
                monitor.note(topic, [record.payload for record in records])

        state.producer.on_published = note
