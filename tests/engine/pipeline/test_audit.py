"""The audit: loss and duplication as numbers (case 57)."""

import json
from typing import Any

import pytest

from engine.config import PAPER, DeploymentSettings
from engine.errors import InvalidMonitoringEvent, NoBrokerAvailable
from engine.pipeline.audit import BUCKETS_KEPT, Bucket, Comparison, Ledger, MonitoringEvent, ProducerMonitor, bucket_of
from engine.producer.stamps import Stamp, stamp_text
from engine.runtime.scheduler import Scheduler

WINDOW_US = PAPER.deployment.audit_window_us
BUCKET = Bucket("pageviews", 0, WINDOW_US)


def view(at_us: int, server: str = "frontend-1") -> bytes:
    return f"/home user-1 {stamp_text(Stamp(at_us, server))} ref=/cart".encode()


def event(count: int, guid: str, bucket: Bucket = BUCKET, server: str = "frontend-1") -> bytes:
    return MonitoringEvent(bucket.end_us + 60_000_000, bucket, server, "live", guid, count).encode()


def test_a_thousand_produced_and_997_received_is_a_loss_of_three() -> None:
    """Case 57."""
    ledger = Ledger(WINDOW_US)
    for _ in range(997):
        ledger.note_message("pageviews", view(5_000_000))
    ledger.note_event(event(1000, "one"))
    (comparison,) = ledger.take_changes()
    assert comparison == Comparison(BUCKET, 1000, 997)


def test_messages_received_twice_show_as_more_than_were_produced() -> None:
    """Case 57."""
    ledger = Ledger(WINDOW_US)
    ledger.note_event(event(1000, "one"))
    for number in range(1003):
        ledger.note_message("pageviews", view(number * 1000))
    assert ledger.take_changes() == [Comparison(BUCKET, 1000, 1003)]


def test_the_counts_of_two_servers_add_up_and_an_event_that_comes_twice_counts_once() -> None:
    ledger = Ledger(WINDOW_US)
    for payload in (event(6, "one"), event(4, "two", server="frontend-2"), event(6, "one")):
        ledger.note_event(payload)
    for number in range(10):
        ledger.note_message("pageviews", view(number, f"frontend-{number % 2 + 1}"))
    assert ledger.take_changes() == [Comparison(BUCKET, 10, 10)]


def test_a_window_is_compared_after_producers_have_published_and_again_after_late_messages() -> None:
    ledger = Ledger(WINDOW_US)
    ledger.note_message("pageviews", view(1))
    assert ledger.take_changes() == []
    ledger.note_event(event(2, "one"))
    assert ledger.take_changes() == [Comparison(BUCKET, 2, 1)]
    assert ledger.take_changes() == []
    ledger.note_message("pageviews", view(2))
    assert ledger.take_changes() == [Comparison(BUCKET, 2, 2)]


def test_messages_without_a_stamp_and_garbage_on_the_audit_topic_are_not_counted() -> None:
    ledger = Ledger(WINDOW_US)
    ledger.note_message("pageviews", b"no stamp")
    for payload in (b"", b"{}", b"[]", b"null", b"\xff", b'{"topic":', b"[" * 100_000):
        ledger.note_event(payload)
    ledger.note_event(event(1, "one"))
    assert ledger.take_changes() == [Comparison(BUCKET, 1, 0)]


def test_a_stamp_at_the_end_of_a_window_belongs_to_the_next_and_negative_stamps_have_windows() -> None:
    assert bucket_of("t", WINDOW_US - 1, WINDOW_US) == Bucket("t", 0, WINDOW_US)
    assert bucket_of("t", WINDOW_US, WINDOW_US) == Bucket("t", WINDOW_US, 2 * WINDOW_US)
    assert bucket_of("t", -1, WINDOW_US) == Bucket("t", -WINDOW_US, 0)


def test_windows_are_aligned_as_in_the_published_event() -> None:
    """KAFKA-260: bucket_start 1301726400000 and bucket_end 1301727000000, whole multiples of ten minutes since 1970."""
    fields = json.loads(event(1, "one"))
    assert fields["bucket_end"] - fields["bucket_start"] == 1301727000000 - 1301726400000
    assert fields["bucket_start"] % 600_000 == 1301726400000 % 600_000 == 0
    assert fields["time"] - fields["bucket_end"] == 60_000
    names = {"time", "topic", "tier", "bucket_start", "bucket_end", "host", "datacenter", "application", "guid"}
    assert set(fields) == names | {"count"}


def test_a_monitoring_event_survives_encoding_and_decoding() -> None:
    sent = MonitoringEvent(61_000_000, BUCKET, "frontend-1", "live", "abc", 12)
    assert MonitoringEvent.decode(sent.encode()) == sent


@pytest.mark.parametrize(
    "change",
    [
        {"count": -1},
        {"count": True},
        {"count": 1.5},
        {"count": 2**60},
        {"topic": 5},
        {"topic": "\ud800"},
        {"host": "h" * 201},
        {"guid": None},
        {"bucket_start": "0"},
        {"time": []},
    ],
)
def test_a_monitoring_event_with_an_invalid_field_is_refused(change: dict[str, Any]) -> None:
    fields = {**json.loads(event(1, "one")), **change}
    with pytest.raises(InvalidMonitoringEvent):
        MonitoringEvent.decode(json.dumps(fields).encode())


def test_a_ledger_drops_the_oldest_windows_however_many_there_are() -> None:
    ledger = Ledger(1_000_000)
    for number in range(BUCKETS_KEPT + 100):
        ledger.note_message("pageviews", view(number * 1_000_000))
        ledger.note_event(event(1, "one", bucket_of("pageviews", number * 1_000_000, 1_000_000)))
    changes = ledger.take_changes()
    assert len(changes) == BUCKETS_KEPT
    assert changes[0].bucket.start_us == 100_000_000


class Published:
    """A monitor of a producer with its own scheduler, and what it publishes."""

    def __init__(self, settings: DeploymentSettings = PAPER.deployment) -> None:
        self.events: list[tuple[int, MonitoringEvent]] = []
        self.refuse = 0
        self.scheduler = Scheduler()
        self.monitor = ProducerMonitor(self.scheduler, settings, "live", self.publish)

    def publish(self, payload: bytes) -> None:
        if self.refuse:
            self.refuse -= 1
            raise NoBrokerAvailable("nobody", "wait", topic="audit")
        self.events.append((self.scheduler.now_us, MonitoringEvent.decode(payload)))


def test_a_producer_publishes_its_counts_server_by_server_a_minute_after_the_window() -> None:
    published = Published()
    published.monitor.note("pageviews", [view(at_us) for at_us in (0, 1_000, WINDOW_US - 1_000)])
    published.monitor.note("pageviews", [view(0, "frontend-2"), b"no stamp", view(WINDOW_US)])
    published.scheduler.run_until(WINDOW_US + 59_999_999)
    assert published.events == []
    published.scheduler.run_until(WINDOW_US + 60_000_000)
    assert [(at_us, one.server, one.count, one.bucket) for at_us, one in published.events] == [
        (WINDOW_US + 60_000_000, "frontend-1", 3, BUCKET),
        (WINDOW_US + 60_000_000, "frontend-2", 1, BUCKET),
    ]
    published.scheduler.run_until(10 * WINDOW_US)
    assert [one.count for _, one in published.events] == [3, 1, 1]
    assert len({one.guid for _, one in published.events}) == 3


def test_counts_that_come_after_their_window_was_published_go_into_another_event() -> None:
    published = Published()
    published.monitor.note("pageviews", [view(0)])
    published.scheduler.run_until(2 * WINDOW_US)
    published.monitor.note("pageviews", [view(0), view(0)])
    published.scheduler.run_until(4 * WINDOW_US)
    assert [(one.bucket, one.count) for _, one in published.events] == [(BUCKET, 1), (BUCKET, 2)]


def test_counts_that_cannot_be_sent_are_kept_and_published_later() -> None:
    published = Published()
    published.monitor.note("pageviews", [view(0), view(0, "frontend-2")])
    published.refuse = 2
    published.scheduler.run_until(3 * WINDOW_US)
    assert [(one.server, one.count) for _, one in published.events] == [("frontend-1", 1), ("frontend-2", 1)]
