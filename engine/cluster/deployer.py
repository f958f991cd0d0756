"""Building the deployment pattern of the paper (section 4) into a cluster, part by part.

Live datacenter: brokers, producers with a monitor. Analysis datacenter: a registry and brokers of its own, mirrors that
pull from the live one. Behind it a warehouse and its loader. An auditor for each tier that is a log.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.cluster.deployment import LIVE
from engine.cluster.state import ClusterState
from engine.events.base import Emit, Event
from engine.events.pipeline import AuditorAdded, DatacenterAdded, LoaderAdded, MirrorAdded, MirrorChanged
from engine.ids import ConsumerId, GroupId
from engine.pipeline.audit import ProducerMonitor
from engine.pipeline.auditor import Auditor
from engine.pipeline.loader import Loader, Sources
from engine.pipeline.mirror import Mirror, Route, World
from engine.pipeline.warehouse import Warehouse
from engine.producer.async_queue import Record
from engine.producer.page_views import PageViews
from engine.registry.server import ADDRESS as LIVE_REGISTRY
from engine.registry.server import RegistryServer
from engine.runtime.network import Latency
from engine.runtime.scheduler import ProcessTime
from engine.runtime.sequence_numbers import SequenceNumbers

NO_KEY = ""


class Deployer:
    """Adds what lies beyond the live datacenter to a cluster's parts."""

    def __init__(
        self, state: ClusterState, emit: Emit, numbers: SequenceNumbers, page_views: PageViews, directory: Path
    ) -> None:
        self._state = state
        self._emit = emit
        self._numbers = numbers
        self._page_views = page_views
        self._directory = directory

    def _tell(self, event: Event) -> None:
        """How the deployment's actors tell something: it is kept for whoever looks later, and journaled."""
        self._state.deployment.observe(event)
        self._emit(event)

    @property
    def _now_us(self) -> int:
        return self._state.scheduler.now_us

    def add_datacenter(self, datacenter: str) -> None:
        """Start another datacenter with a registry of its own, without brokers yet."""
        state = self._state
        config = state.config
        latency = Latency(config.registry_latency_us, config.latency_jitter_permille)
        address, chroot = f"{LIVE_REGISTRY}:{datacenter}", f"/{datacenter}"
        state.deployment.registries[datacenter] = RegistryServer(
            state.scheduler,
            state.network,
            self._emit,
            self._numbers,
            latency,
            config.session_timeout_us,
            address,
            chroot,
        )
        self._emit(DatacenterAdded(self._now_us, datacenter, address, chroot))

    def make_mirrors(self, group: GroupId, copies: Mapping[str, str]) -> None:
        """Let the consumers of a group, still without any, be mirrors: ``copies`` maps their topics to the copies."""
        state = self._state
        registry = state.registry_of_topic(next(iter(copies.values())))
        route = Route(copies, registry.address)
        acknowledgements = state.deployment.acknowledgements
        acknowledgements[group] = state.config.deployment.mirror_acknowledgement
        world = World(
            state.config,
            state.network,
            self._tell,
            self._numbers,
            state.topics.__getitem__,
            lambda: acknowledgements[group],
        )

        def start(consumer: ConsumerId, time: ProcessTime, on_ready: Callable[[], None]) -> Mirror:
            return Mirror(consumer, time, on_ready, route, world)

        state.groups[group].application = start
        state.deployment.routes[group] = route
        state.deployment.mirrored[group] = 0
        self._emit(MirrorAdded(self._now_us, group, tuple(copies.items()), acknowledgements[group]))

    def change_mirrors(self, group: GroupId, acknowledgement: str) -> None:
        """From the next set on, the mirrors of a group ask for acknowledgements (``broker``), or do not (``none``)."""
        self._state.deployment.acknowledgements[group] = acknowledgement
        self._emit(MirrorChanged(self._now_us, group, acknowledgement))

    def add_loader(self, name: str, sources: Sources) -> Loader:
        """A loader with a warehouse file of its own; it does not run yet."""
        state = self._state
        path = self._directory / f"warehouse-{len(state.deployment.loaders) + 1}.sqlite3"
        loader = Loader(
            name,
            sources,
            state.config,
            state.scheduler,
            state.network,
            self._tell,
            self._numbers,
            state.topics.__getitem__,
            lambda: Warehouse.open(path),
        )
        state.deployment.loaders[name] = loader
        self._emit(LoaderAdded(self._now_us, name, sources.topics))
        return loader

    def add_auditor(self, tier: str, sources: Sources) -> None:
        """An auditor of a tier, at work at once."""
        state = self._state
        layout = state.topics.__getitem__
        state.deployment.auditors[tier] = Auditor(
            tier, sources, state.config, state.scheduler, state.network, self._tell, self._numbers, layout
        )
        self._emit(AuditorAdded(self._now_us, tier, sources.topics))

    def monitor_producer(self, server: str, monitoring: str) -> None:
        """Give the producer's server a name for its stamps, and let it tell its counts on the topic ``monitoring``."""
        state = self._state
        self._page_views.server = server

        def publish(payload: bytes) -> None:
            state.producer.send(monitoring, [Record(NO_KEY, payload)])

        monitor = ProducerMonitor(state.scheduler, state.config.deployment, LIVE, publish)

        def note(topic: str, records: Sequence[Record]) -> None:
            if topic != monitoring:
                monitor.note(topic, [record.payload for record in records])

        state.producer.on_published = note
