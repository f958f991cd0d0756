"""Named starting states. Each is reached by the engine's own commands, before the journal begins.

A scenario warms a cluster up in virtual time that is not journaled: brokers register, messages are sent and flushed,
consumers join and divide the partitions. Then the journal begins with one checkpoint.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.cluster.cluster import Cluster
from engine.cluster.deployment import LIVE
from engine.config import DEMO, SECOND_US, Config, ConsumerSettings
from engine.errors import UnknownScenario
from engine.ids import BrokerId, ConsumerId, GroupId
from engine.journal.journal import Journal
from engine.pipeline.loader import Sources

WARM_UP_US = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class Scenario:
    """A starting state with a name; ``prepare`` brings a fresh cluster there."""

    name: str
    title: str
    config: Config
    prepare: Callable[[Cluster], None]


METRICS = GroupId("Real-time metrics")
WAREHOUSE = GroupId("Warehouse loader")
PAGEVIEWS_PAYLOAD_BYTES = (206, 179, 195)
PAGEVIEWS_COMMITTED_OFFSETS = (215, 188, 204)


def prepare_pageviews(cluster: Cluster) -> None:
    """Set up three brokers with one partition each, four messages in each, and two groups with committed offsets.

    Plain messages have nine bytes of overhead, so p0 has messages at offsets 0, 215, 430 and 645, and ends at 860.
    """
    for number in (1, 2, 3):
        cluster.add_broker(BrokerId(number))
    cluster.add_topic("pageviews", [BrokerId(1), BrokerId(2), BrokerId(3)])
    _pass(cluster, 5)
    producer = cluster.state.producer
    for payload_bytes in PAGEVIEWS_PAYLOAD_BYTES:
        producer.send("pageviews", producer.make_of_size(4, payload_bytes))
    _pass(cluster, 5)
    demo = cluster.state.config.consumer
    cluster.add_group(METRICS, ("pageviews",))
    cluster.add_group(WAREHOUSE, ("pageviews",))
    for partition, offset in enumerate(PAGEVIEWS_COMMITTED_OFFSETS):
        cluster.seek(METRICS, cluster.state.partition("pageviews", partition), offset)
        cluster.seek(WAREHOUSE, cluster.state.partition("pageviews", partition), 0)
    slow = replace(demo, poll_interval_ms=6_000, fetch_bytes=4096, messages_per_second=4, commit_interval_ms=8_000)
    for name in ("Metrics A", "Metrics B", "Metrics C"):
        _join_paused(cluster, METRICS, name, demo)
    _join_paused(cluster, WAREHOUSE, "Loader A", slow)


def _join_paused(cluster: Cluster, group: GroupId, name: str, settings: ConsumerSettings) -> None:
    cluster.add_consumer(ConsumerId(group, name), settings).paused = True


def _pass(cluster: Cluster, seconds: int) -> None:
    cluster.run_until(cluster.now_us + seconds * SECOND_US)


LIVE_BROKERS = (BrokerId(1), BrokerId(2), BrokerId(3))
ANALYSIS_BROKERS = (BrokerId(11), BrokerId(12), BrokerId(13))
ANALYSIS = "analysis"
MIRROR = GroupId("Mirror")
COPIES = {"pageviews": "live.pageviews", "audit": "live.audit"}
"""Topics and their copies. Names are unique in a room, so a copy is named after its origin, as in later mirrors."""


def deploy(cluster: Cluster) -> None:
    """Set up the deployment pattern of the paper (section 4), without messages: two datacenters, warehouse, audit.

    Only the groups have no consumers yet; these begin when the first message of a topic arrives.
    """
    for broker in LIVE_BROKERS:
        cluster.add_broker(broker)
    cluster.deployer.add_datacenter(ANALYSIS)
    for broker in ANALYSIS_BROKERS:
        cluster.add_broker(broker, ANALYSIS)
    cluster.add_topic("pageviews", LIVE_BROKERS)
    cluster.add_topic("audit", LIVE_BROKERS[:1])
    cluster.add_topic(COPIES["pageviews"], ANALYSIS_BROKERS)
    cluster.add_topic(COPIES["audit"], ANALYSIS_BROKERS[:1])
    cluster.deployer.monitor_producer("frontend-1", "audit")
    cluster.add_group(MIRROR, tuple(COPIES))
    cluster.deployer.make_mirrors(MIRROR, COPIES)
    analysis = Sources({COPIES["pageviews"]: "pageviews"}, COPIES["audit"])
    cluster.deployer.add_auditor(LIVE, Sources({"pageviews": "pageviews"}, "audit"))
    cluster.deployer.add_auditor(ANALYSIS, analysis)
    cluster.deployer.add_loader("Loader", analysis).start()


def prepare_deployment(cluster: Cluster) -> None:
    """Set up the deployment with a mirror and a reader in the live datacenter, and a producer of page views."""
    deploy(cluster)
    _pass(cluster, 5)
    producer = cluster.state.producer
    for payload_bytes in PAGEVIEWS_PAYLOAD_BYTES:
        producer.send("pageviews", producer.make_of_size(4, payload_bytes))
    demo = cluster.state.config.consumer
    cluster.add_consumer(ConsumerId(MIRROR, "Mirror A"), replace(demo, fetch_bytes=4096, messages_per_second=40))
    cluster.add_group(METRICS, ("pageviews",))
    cluster.add_consumer(ConsumerId(METRICS, "Metrics A"), replace(demo, messages_per_second=4))
    _pass(cluster, 40)
    producer.change(replace(producer.settings, rate_per_second=1, linger_ms=3_000), "pageviews")


SCENARIOS: Mapping[str, Scenario] = {
    "pageviews": Scenario("pageviews", "Three brokers, one topic, two groups", DEMO, prepare_pageviews),
    "deployment": Scenario(
        "deployment", "A live and an analysis datacenter, a warehouse and an audit", DEMO, prepare_deployment
    ),
}


def build(
    name: str, *, directory: Path, seed: int, journal: Journal, start_us: int = 0, cause: str = "start"
) -> Cluster:
    """Build a cluster in a scenario's starting state at ``start_us``, written to ``journal`` as one checkpoint.

    Raises :class:`UnknownScenario` and :class:`~engine.errors.MachineFault`. What was in ``directory`` is deleted.
    """
    if name not in SCENARIOS:
        raise UnknownScenario(f"there is no scenario {name!r}", "use one of: " + ", ".join(SCENARIOS), scenario=name)
    scenario = SCENARIOS[name]
    cluster = Cluster(
        scenario=name,
        directory=directory,
        config=scenario.config,
        seed=seed,
        journal=journal,
        start_us=start_us - WARM_UP_US,
    )
    try:
        scenario.prepare(cluster)
        cluster.run_until(start_us)
        start_consumers(cluster)
        cluster.write_checkpoint(cause)
        cluster.publish()
    except BaseException:
        cluster.close()
        raise
    return cluster


FIRST_FETCH_US = 400_000
BETWEEN_FIRST_FETCHES_US = 700_000


def start_consumers(cluster: Cluster) -> None:
    """Start the paused consumers one after the other: a first fetch every 0.7 seconds."""
    for index, consumer in enumerate(cluster.state.all_consumers()):
        consumer.resume_quietly(FIRST_FETCH_US + index * BETWEEN_FIRST_FETCHES_US)
