"""The audit of the paper (section 4): compares what was produced in a window with what a tier received of it.

Every message carries a stamp (:mod:`stamps`). A producer counts the messages it was given by the windows of
their stamps, and publishes the counts as *monitoring events* on a separate topic, a while after a window has ended. A
tier counts what it receives and compares: fewer than produced is loss, more is duplication; if both happen in a window,
only the difference shows. The fields of a monitoring event, and the ten minutes of a window, are those of an event
that LinkedIn published (KAFKA-260); the paper gives no figures.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from engine.config import DeploymentSettings
from engine.errors import InvalidMonitoringEvent, OffsetscopeError
from engine.producer.stamps import UNSTAMPED, find_stamp
from engine.runtime.calendar import virtual_us_of_milliseconds, wall_milliseconds
from engine.runtime.scheduler import Timers

APPLICATION = "offsetscope"
PRODUCER_TIER = "producer"
BUCKETS_KEPT = 512
"""How many windows a ledger remembers; older ones are forgotten, with their counts."""


@dataclass(frozen=True, order=True, slots=True)
class Bucket:
    """The messages of a topic whose stamps lie in [start_us, end_us)."""

    topic: str
    start_us: int
    end_us: int


def bucket_of(topic: str, at_us: int, window_us: int) -> Bucket:
    """The bucket of a stamp: windows begin at multiples of their length."""
    start_us = at_us // window_us * window_us
    return Bucket(topic, start_us, start_us + window_us)


@dataclass(frozen=True, slots=True)
class MonitoringEvent:
    """A producer's count of the messages of a bucket that it was given; several for one bucket add up.

    ``guid`` identifies the event, so that one that arrives twice counts once.
    """

    sent_us: int
    bucket: Bucket
    server: str
    datacenter: str
    guid: str
    count: int

    def encode(self) -> bytes:
        """Encode it as a payload: JSON with the field names of KAFKA-260, times in milliseconds since 1970."""
        fields = {
            "time": wall_milliseconds(self.sent_us),
            "topic": self.bucket.topic,
            "tier": PRODUCER_TIER,
            "bucket_start": wall_milliseconds(self.bucket.start_us),
            "bucket_end": wall_milliseconds(self.bucket.end_us),
            "host": self.server,
            "datacenter": self.datacenter,
            "application": APPLICATION,
            "guid": self.guid,
            "count": self.count,
        }
        return json.dumps(fields, separators=(",", ":")).encode()

    @staticmethod
    def decode(payload: bytes) -> "MonitoringEvent":
        """Decode a payload; raise :class:`InvalidMonitoringEvent` if it is anything else."""
        try:
            fields: dict[str, Any] = json.loads(payload)
            start_us, end_us, sent_us = (
                virtual_us_of_milliseconds(_whole(fields[name])) for name in ("bucket_start", "bucket_end", "time")
            )
            bucket = Bucket(_text(fields["topic"]), start_us, end_us)
            names = _text(fields["host"]), _text(fields["datacenter"]), _text(fields["guid"])
            return MonitoringEvent(sent_us, bucket, *names, _whole(fields["count"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidMonitoringEvent(
                f"not a monitoring event: {error}"[:200], "write only monitoring events to the audit's topic"
            ) from error


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError("a field is not a whole number from 0 to 2**53 - 1")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise ValueError("a field is not a text of at most 200 characters")
    value.encode()
    return value


@dataclass(frozen=True, slots=True)
class Comparison:
    """A bucket's produced and received messages at a tier."""

    bucket: Bucket
    produced: int
    received: int


class Ledger:
    """The counts of a tier: messages received, and monitoring events about them."""

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._received: dict[Bucket, int] = {}
        self._produced: dict[Bucket, dict[str, int]] = {}
        self._changed: dict[Bucket, None] = {}

    def note_message(self, topic: str, payload: bytes) -> None:
        """Count a message; one without a stamp belongs to no window."""
        stamp = find_stamp(payload)
        if stamp != UNSTAMPED:
            bucket = bucket_of(topic, stamp.at_us, self._window_us)
            self._received[bucket] = self._received.get(bucket, 0) + 1
            self._note(bucket)

    def note_event(self, payload: bytes) -> None:
        """Count a monitoring event, once however often it arrives; skip any other payload on the audit's topic."""
        try:
            event = MonitoringEvent.decode(payload)
        except InvalidMonitoringEvent:
            return
        self._produced.setdefault(event.bucket, {})[event.guid] = event.count
        self._note(event.bucket)

    def take_changes(self) -> list[Comparison]:
        """Return the buckets that changed since the last call and that producers have reported, oldest first."""
        changed = [bucket for bucket in sorted(self._changed) if bucket in self._produced]
        for bucket in changed:
            del self._changed[bucket]
        return [
            Comparison(bucket, sum(self._produced[bucket].values()), self._received.get(bucket, 0))
            for bucket in changed
        ]

    def _note(self, bucket: Bucket) -> None:
        self._changed[bucket] = None
        for counts in (self._received, self._produced, self._changed):
            _forget_oldest(counts)


def _forget_oldest(counts: dict[Bucket, Any]) -> None:
    if len(counts) > BUCKETS_KEPT:
        del counts[min(counts, key=lambda bucket: bucket.end_us)]


Publish = Callable[[bytes], None]
"""Sends a payload to the audit's topic; raises as ``Producer.send`` does."""


class ProducerMonitor:
    """The audit's part in a producer: counts its messages and reports every window after the window has ended."""

    def __init__(self, timers: Timers, settings: DeploymentSettings, datacenter: str, publish: Publish) -> None:
        self._timers = timers
        self._settings = settings
        self._datacenter = datacenter
        self._publish = publish
        self._counts: dict[Bucket, dict[str, int]] = {}
        self._reported = 0

    def note(self, topic: str, payloads: Iterable[bytes]) -> None:
        """Count messages that the producer was given."""
        for payload in payloads:
            stamp = find_stamp(payload)
            if stamp != UNSTAMPED:
                bucket = bucket_of(topic, stamp.at_us, self._settings.audit_window_us)
                if bucket not in self._counts:
                    self._counts[bucket] = {}
                    self._report_later(bucket)
                servers = self._counts[bucket]
                servers[stamp.server] = servers.get(stamp.server, 0) + 1

    def _report_later(self, bucket: Bucket) -> None:
        due_us = max(bucket.end_us, self._timers.now_us) + self._settings.audit_delay_us
        self._timers.at(due_us, lambda: self._report(bucket))

    def _report(self, bucket: Bucket) -> None:
        """Publish one event for each server. One that cannot be sent now is kept and retried."""
        servers = self._counts.pop(bucket)
        for server in list(servers):
            event = self._event(bucket, server, servers[server])
            try:
                self._publish(event.encode())
            except OffsetscopeError:
                self._counts[bucket] = servers
                self._report_later(bucket)
                return
            del servers[server]

    def _event(self, bucket: Bucket, server: str, count: int) -> MonitoringEvent:
        self._reported += 1
        guid = sha256(f"{server} {bucket.topic} {bucket.start_us} {self._reported}".encode()).hexdigest()[:32]
        return MonitoringEvent(self._timers.now_us, bucket, server, self._datacenter, guid, count)
