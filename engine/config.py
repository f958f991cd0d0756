"""Every limit and interval of the engine in one place, the unit last in each name.

Three presets. ``PAPER`` holds the figures of the 2011 paper and of 0.7.2 where the paper is silent; the other two say
where they differ from it. ``DEMO`` keeps the same system but makes it watchable: about one second a network hop.
``TINY`` has limits so small that a test of a dozen messages rolls segments and lets sessions expire.
"""

from dataclasses import dataclass, replace

SECOND_US = 1_000_000
MILLISECOND_US = 1_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
NEVER_US = 1 << 62
"""An interval that never ends, or a time later than all others."""
UNLIMITED_BYTES = 1 << 62


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """The settings of one consumer: how it fetches, processes and commits.

    ``messages_per_second`` is the speed of the application behind each of its streams, not of the broker.
    ``queued_chunks`` is how many fetches' worth of bytes may wait for the application before the consumer stops
    fetching a partition (0.7: queuedchunks.max). ``commit_interval_ms`` 0 commits only by hand, on a clean close and in
    a rebalance. ``position_moves`` is ``after`` the processing (at least once) or ``before`` it, as in 0.7.
    ``offset_reset`` is ``smallest``, ``largest`` or ``fail``, for a partition without a committed offset or with one
    that is out of range.
    """

    poll_interval_ms: int
    fetch_bytes: int
    queued_chunks: int
    messages_per_second: float
    commit_interval_ms: int
    position_moves: str
    offset_reset: str


@dataclass(frozen=True, slots=True)
class ProducerSettings:
    """The settings of the producer: how it makes, batches and sends messages.

    ``rate_per_second`` 0 means that it sends only on command. ``sending`` ``sync`` sends the messages of a command at
    once, ``async`` queues them; its own messages are always queued, and sent in batches of ``batch_messages`` or after
    ``linger_ms``. The queue holds ``queue_messages``; when full it lets an application ``fail``, ``block`` or ``wait``
    ``queue_wait_ms`` (0.7: queue.size, queue.enqueueTimeout.ms). ``keys`` is how many different keys its own messages
    carry; 0 means that they carry none. ``partitioner`` is ``round_robin`` or ``random`` for messages without a key; a
    key's hash always chooses its partition. ``compression`` is ``none`` or ``gzip``. ``acknowledgement`` is ``none`` as
    in the paper, or ``broker``: then a partition has one batch in flight, later ones wait behind it, and one that fails
    is sent again up to ``retries`` times.
    """

    rate_per_second: float
    sending: str
    batch_messages: int
    linger_ms: int
    queue_messages: int
    queue_full: str
    queue_wait_ms: int
    partitioner: str
    keys: int
    compression: str
    acknowledgement: str
    retries: int


@dataclass(frozen=True, slots=True)
class DeploymentSettings:
    """The settings of the path from the live datacenter to the warehouse, and of its audit (paper, section 4).

    A mirror sends a set when it has ``mirror_batch_messages`` or its first message has waited
    ``mirror_linger_us``, and asks for an acknowledgement if ``mirror_acknowledgement`` is ``broker`` and not ``none``
    (ours). A load job begins every ``loader_interval_us``, fetches ``loader_fetch_bytes`` a partition
    at a time and has its transaction open for ``loader_write_us``. A producer reports what it made in a window of
    ``audit_window_us`` when the window has been over for ``audit_delay_us``; the tiers check every
    ``audit_interval_us``.
    """

    mirror_batch_messages: int
    mirror_linger_us: int
    mirror_acknowledgement: str
    loader_interval_us: int
    loader_fetch_bytes: int
    loader_write_us: int
    audit_window_us: int
    audit_delay_us: int
    audit_interval_us: int


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one cluster, fixed when it is created."""

    network_latency_us: int
    registry_latency_us: int
    latency_jitter_permille: int
    session_timeout_us: int
    heartbeat_interval_us: int
    rebalance_tries: int
    rebalance_backoff_us: int
    fetch_backoff_us: int
    fetch_timeout_us: int
    decoded_max_bytes: int
    segment_bytes: int
    flush_messages: int
    flush_interval_us: int
    flush_check_interval_us: int
    roll_interval_us: int
    retention_us: int
    retention_bytes: int
    retention_check_interval_us: int
    max_message_bytes: int
    checkpoint_every_bytes: int
    consumer: ConsumerSettings
    producer: ProducerSettings
    deployment: DeploymentSettings


PAPER = Config(
    network_latency_us=500,
    registry_latency_us=500,
    latency_jitter_permille=100,
    session_timeout_us=6 * SECOND_US,
    heartbeat_interval_us=2 * SECOND_US,
    rebalance_tries=4,
    rebalance_backoff_us=2 * SECOND_US,
    fetch_backoff_us=SECOND_US,
    fetch_timeout_us=30 * SECOND_US,
    decoded_max_bytes=32 * 1024 * 1024,
    segment_bytes=1 << 30,
    flush_messages=500,
    flush_interval_us=3 * SECOND_US,
    flush_check_interval_us=3 * SECOND_US,
    roll_interval_us=168 * HOUR_US,
    retention_us=168 * HOUR_US,
    retention_bytes=UNLIMITED_BYTES,
    retention_check_interval_us=10 * MINUTE_US,
    max_message_bytes=1_000_000,
    checkpoint_every_bytes=1 << 20,
    consumer=ConsumerSettings(
        poll_interval_ms=0,
        fetch_bytes=300 * 1024,
        queued_chunks=10,
        messages_per_second=22_000,
        commit_interval_ms=10_000,
        position_moves="after",
        offset_reset="smallest",
    ),
    producer=ProducerSettings(
        rate_per_second=0,
        sending="sync",
        batch_messages=200,
        linger_ms=5_000,
        queue_messages=10_000,
        queue_full="fail",
        queue_wait_ms=0,
        partitioner="random",
        keys=0,
        compression="none",
        acknowledgement="none",
        retries=0,
    ),
    deployment=DeploymentSettings(
        mirror_batch_messages=200,
        mirror_linger_us=500 * MILLISECOND_US,
        mirror_acknowledgement="none",
        loader_interval_us=4 * SECOND_US,  # with 0.7's lingering and flushing, ten seconds from end to end
        loader_fetch_bytes=1 << 20,
        loader_write_us=50 * MILLISECOND_US,
        audit_window_us=10 * MINUTE_US,
        audit_delay_us=MINUTE_US,
        audit_interval_us=10 * SECOND_US,
    ),
)

DEMO = replace(
    PAPER,
    network_latency_us=SECOND_US,
    registry_latency_us=300 * MILLISECOND_US,
    fetch_backoff_us=3 * SECOND_US,
    fetch_timeout_us=8 * SECOND_US,
    segment_bytes=2048,
    flush_messages=6,
    flush_interval_us=1_200 * MILLISECOND_US,
    flush_check_interval_us=1_200 * MILLISECOND_US,
    roll_interval_us=NEVER_US,
    retention_us=NEVER_US,
    retention_bytes=128 * 1024,
    retention_check_interval_us=10 * SECOND_US,
    checkpoint_every_bytes=256 * 1024,
    consumer=replace(
        PAPER.consumer,
        poll_interval_ms=1_500,
        fetch_bytes=1024,
        queued_chunks=1,
        messages_per_second=2,
        commit_interval_ms=3_000,
    ),
    producer=replace(
        PAPER.producer,
        batch_messages=3,
        linger_ms=500,
        queue_messages=100,
        partitioner="round_robin",
    ),
    deployment=replace(
        PAPER.deployment,
        mirror_batch_messages=6,
        mirror_linger_us=SECOND_US,
        loader_interval_us=8 * SECOND_US,
        loader_fetch_bytes=4096,
        loader_write_us=SECOND_US,
        audit_window_us=30 * SECOND_US,
        audit_delay_us=5 * SECOND_US,
    ),
)

TINY = replace(
    PAPER,
    network_latency_us=1_000,
    registry_latency_us=300,
    latency_jitter_permille=0,
    session_timeout_us=60_000,
    heartbeat_interval_us=20_000,
    rebalance_backoff_us=20_000,
    fetch_backoff_us=3_000,
    fetch_timeout_us=30_000,
    segment_bytes=256,
    flush_messages=3,
    flush_interval_us=5_000,
    flush_check_interval_us=1_000,
    roll_interval_us=20 * SECOND_US,
    retention_us=60 * SECOND_US,
    retention_check_interval_us=5 * SECOND_US,
    max_message_bytes=4_096,
    checkpoint_every_bytes=8 * 1024,
    consumer=replace(
        PAPER.consumer,
        poll_interval_ms=2,
        fetch_bytes=128,
        queued_chunks=1,
        messages_per_second=1_000,
        commit_interval_ms=5,
    ),
    producer=replace(
        PAPER.producer,
        batch_messages=3,
        linger_ms=1,
        queue_messages=100,
        partitioner="round_robin",
    ),
    deployment=replace(
        PAPER.deployment,
        mirror_batch_messages=3,
        mirror_linger_us=2_000,
        loader_interval_us=10_000,
        loader_fetch_bytes=512,
        loader_write_us=1_000,
        audit_window_us=100_000,
        audit_delay_us=10_000,
        audit_interval_us=10_000,
    ),
)
