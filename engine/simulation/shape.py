"""The shape of a seed's cluster: its counts, and limits so small that every case occurs soon."""

from dataclasses import dataclass, replace
from random import Random

from engine.config import NEVER_US, TINY, UNLIMITED_BYTES, Config, ConsumerSettings, ProducerSettings

FETCHES_APART_US = 700
"""The pause between fetches, for each partition that a group fetches; it bounds the size of a journal."""
FAR_US = 9_000
"""A latency at which a round trip takes more than half of the fetch timeout, so that responses race with timers."""
DEPLOYMENTS = 0.2
"""The share of clusters with the deployment pattern around them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A cluster to build: ``consumers[g]`` are the stream counts of the consumers that group g begins with.

    The schedule may damage bytes on disk only where ``bytes_flip``. A committed offset may then be outside its log for
    a while, so such runs are not checked for invariants. ``has_deployment``: with the deployment pattern around it.
    """

    brokers: int
    partitions: int
    consumers: tuple[tuple[int, ...], ...]
    config: Config
    operations: int
    bytes_flip: bool
    has_deployment: bool


def draw_shape(chance: Random) -> Shape:
    """Draw a shape."""
    has_deployment = chance.random() < DEPLOYMENTS
    brokers, partitions, groups = chance.randint(1, 5), chance.randint(1, 12), chance.randint(1, 3)
    if has_deployment:
        partitions, groups = min(partitions, 3), 1
    return Shape(
        brokers=brokers,
        partitions=partitions,
        consumers=tuple(
            tuple(chance.choice((1, 1, 1, 2, 3)) for _ in range(chance.randint(1, 4))) for _ in range(groups)
        ),
        config=_draw_config(chance, partitions * groups),
        operations=chance.randint(5, 45),
        bytes_flip=chance.random() < 0.3 and not has_deployment,
        has_deployment=has_deployment,
    )


def _draw_config(chance: Random, fetched_partitions: int) -> Config:
    heartbeat_interval_us = chance.choice((15_000, 20_000, 30_000))
    pause_us = max(3_000, fetched_partitions * FETCHES_APART_US)
    return replace(
        TINY,
        network_latency_us=chance.choice((200, 1_000, 2_000, FAR_US)),
        registry_latency_us=chance.choice((100, 300, 800)),
        latency_jitter_permille=chance.choice((0, 100, 900)),
        session_timeout_us=heartbeat_interval_us * chance.choice((2, 3, 4)),
        heartbeat_interval_us=heartbeat_interval_us,
        rebalance_backoff_us=chance.choice((5_000, 20_000, 40_000)),
        fetch_backoff_us=pause_us,
        segment_bytes=chance.choice((100, 256, 700, 4_000)),
        flush_messages=chance.choice((1, 2, 3, 8)),
        flush_interval_us=chance.choice((1_000, 5_000, 20_000)),
        roll_interval_us=chance.choice((NEVER_US, NEVER_US, 80_000)),
        retention_us=chance.choice((NEVER_US, NEVER_US, NEVER_US, 150_000)),
        retention_bytes=chance.choice((UNLIMITED_BYTES, UNLIMITED_BYTES, UNLIMITED_BYTES, 500)),
        retention_check_interval_us=chance.choice((10_000, 40_000)),
        checkpoint_every_bytes=1 << 18,
        deployment=replace(
            TINY.deployment,
            mirror_batch_messages=chance.choice((1, 3, 20)),
            mirror_acknowledgement=chance.choice(("none", "broker")),
            loader_interval_us=40_000,
            audit_interval_us=80_000,
            audit_window_us=100_000,
        ),
        consumer=_draw_consumer(chance, pause_us // 1_000),
        producer=_draw_producer(chance),
    )


def _draw_consumer(chance: Random, poll_interval_ms: int) -> ConsumerSettings:
    return ConsumerSettings(
        poll_interval_ms=poll_interval_ms,
        fetch_bytes=chance.choice((200, 400, 1_000, 4_000)),
        queued_chunks=chance.randint(1, 3),
        messages_per_second=chance.choice((100, 500, 2_000)),
        commit_interval_ms=chance.choice((0, 10, 25, 60)),
        position_moves=chance.choice(("after", "after", "before")),
        offset_reset=chance.choice(("smallest", "smallest", "smallest", "largest", "fail")),
    )


def _draw_producer(chance: Random) -> ProducerSettings:
    return replace(
        TINY.producer,
        batch_messages=chance.randint(1, 6),
        partitioner=chance.choice(("round_robin", "random")),
        keys=chance.choice((0, 0, 7)),
        compression=chance.choice(("none", "gzip")),
        acknowledgement=chance.choice(("none", "broker")),
        retries=chance.choice((0, 2)),
    )
