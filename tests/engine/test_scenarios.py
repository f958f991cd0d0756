"""The default state, to the byte."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.errors import UnknownScenario
from engine.journal.journal import Journal
from engine.message.format import iterate_shallow
from engine.scenarios import METRICS, WAREHOUSE, build
from tests.support.clusters import payloads


@pytest.fixture
def pageviews(tmp_path: Path) -> Iterator[Cluster]:
    journal = Journal.open(tmp_path / "journal")
    cluster = build("pageviews", directory=tmp_path / "cluster", seed=1, journal=journal)
    yield cluster
    assert cluster.check() == []
    cluster.close()
    journal.close()


def test_four_messages_per_partition_are_at_the_offsets_of_the_model(pageviews: Cluster) -> None:
    (topic,) = pageviews.facts()["topics"]
    assert (topic["topic"], topic["events_appended"], topic["next_append_partition"]) == ("pageviews", 12, 0)
    assert [place["message_offsets"] for place in topic["partitions"]] == [
        [0, 215, 430, 645],
        [0, 188, 376, 564],
        [0, 204, 408, 612],
    ]
    assert [place["next_offset"] for place in topic["partitions"]] == [860, 752, 816]
    assert [place["flushed_offset"] for place in topic["partitions"]] == [860, 752, 816]
    assert [place["broker"] for place in topic["partitions"]] == [1, 2, 3]


def test_the_files_hold_those_messages_with_good_crcs_and_nothing_else(pageviews: Cluster, tmp_path: Path) -> None:
    files = sorted((tmp_path / "cluster").rglob("*.kafka"))
    assert [str(file.relative_to(tmp_path / "cluster")) for file in files] == [
        f"broker-{number + 1}/pageviews-{number}/00000000000000000000.kafka" for number in range(3)
    ]
    for file, payload_bytes in zip(files, (206, 179, 195), strict=True):
        data = file.read_bytes()
        entries = list(iterate_shallow(data, 0))
        assert [len(entry[2]) for entry in entries] == [payload_bytes] * 4
        assert data[5:9] == zlib.crc32(entries[0][2]).to_bytes(4, "big")
        assert len(data) == 4 * (payload_bytes + 9)


def test_two_groups_have_their_own_committed_offsets_and_every_partition_an_owner(pageviews: Cluster) -> None:
    metrics, warehouse = pageviews.facts()["groups"]
    assert (metrics["group"], warehouse["group"]) == ("Real-time metrics", "Warehouse loader")
    assert [(one["owner"], one["committed_offset"], one["fetch_offset"]) for one in metrics["partitions"]] == [
        ("Metrics A", 215, 215),
        ("Metrics B", 188, 188),
        ("Metrics C", 204, 204),
    ]
    assert [(one["owner"], one["committed_offset"]) for one in warehouse["partitions"]] == [("Loader A", 0)] * 3
    assert [consumer["state"] for consumer in metrics["consumers"]] == ["running"] * 3


def test_the_journal_begins_with_a_checkpoint_of_the_whole_state_at_rest(pageviews: Cluster, tmp_path: Path) -> None:
    pageviews.publish()
    journal = Journal.open(tmp_path / "journal")
    (first,) = payloads(journal)
    journal.close()
    assert first.startswith(b'{"event":"checkpoint","at_us":0,"cause":"start"')
    assert pageviews.snapshot()["flights"] == {}


@pytest.mark.parametrize("seed", [0, 1, 2, 12345, -7])
def test_the_default_state_does_not_depend_on_the_seed(tmp_path: Path, seed: int) -> None:
    journal = Journal.open(tmp_path / "journal")
    cluster = build("pageviews", directory=tmp_path / "cluster", seed=seed, journal=journal)
    facts = cluster.facts()
    assert [place["message_offsets"][-1] for place in facts["topics"][0]["partitions"]] == [645, 564, 612]
    assert [one["owner"] for one in facts["groups"][0]["partitions"]] == ["Metrics A", "Metrics B", "Metrics C"]
    cluster.close()
    journal.close()


def test_without_commands_every_group_reads_to_the_end(pageviews: Cluster) -> None:
    pageviews.run_until(60_000_000)
    for group in pageviews.facts()["groups"]:
        assert [place["lag_bytes"] for place in group["partitions"]] == [0, 0, 0]
        assert [place["committed_offset"] for place in group["partitions"]] == [860, 752, 816]


def test_the_error_for_an_unknown_scenario_lists_the_known_ones(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    with pytest.raises(UnknownScenario, match="nowhere") as fault:
        build("nowhere", directory=tmp_path / "cluster", seed=1, journal=journal)
    assert "pageviews" in fault.value.remedy
    journal.close()


def test_a_cluster_left_at_a_high_rate_keeps_a_bounded_log(pageviews: Cluster) -> None:
    apply(pageviews, parse_command({"command": "set_producer", "rate_per_second": 500, "batch_messages": 50}))
    pageviews.run_until(60_000_000)
    for place in pageviews.facts()["topics"][0]["partitions"]:
        assert place["first_offset"] > 0
        assert place["next_offset"] - place["first_offset"] < 128 * 1024 + 10 * 500 * 200
        assert len(place["segments"]) < 200


def test_damage_in_the_middle_of_a_batch_loses_the_messages_behind_it_and_no_other(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    cluster = build("pageviews", directory=tmp_path / "cluster", seed=1, journal=journal)
    for fields in (
        {"command": "corrupt", "partition": 0, "offset": 430},
        {"command": "crash_broker", "broker": 1},
        {"command": "start_broker", "broker": 1},
    ):
        apply(cluster, parse_command(fields))
    (topic,) = cluster.facts()["topics"]
    assert topic["events_appended"] == 10
    lags = {group["group"]: group["partitions"][0] for group in cluster.facts()["groups"]}
    assert {group: place["lag_messages"] for group, place in lags.items()} == {METRICS: 1, WAREHOUSE: 2}
    assert cluster.check() == []
    cluster.close()
    journal.close()
