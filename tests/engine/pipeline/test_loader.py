"""The loader in its cluster: crashed at every step, it neither loses nor stores twice."""

import sqlite3
from dataclasses import replace
from random import Random

import pytest

from engine.errors import MachineFault, UnknownName, WrongState
from engine.ids import TopicPartition
from tests.engine.conftest import Deploy, MakeStage
from tests.support.deployments import SMALL, Deployed, with_deployment


def settle(deployed: Deployed) -> None:
    deployed.run_ms(500)


def test_every_message_is_stored_once_and_the_stored_offsets_are_at_the_ends_of_the_logs(deployed: Deployed) -> None:
    deployed.send_steadily(300)
    settle(deployed)
    assert deployed.table() == deployed.originals()
    assert deployed.table().total() == 123
    committed = deployed.warehouse("SELECT topic, partition, next_offset FROM committed_offsets")
    ends = {
        (topic["topic"], place["partition"], place["next_offset"])
        for topic in deployed.cluster.facts()["topics"]
        if topic["topic"].startswith("live.")
        for place in topic["partitions"]
    }
    assert set(committed) == ends


def test_a_row_records_the_offset_of_its_message_and_when_it_was_created_and_loaded(deployed: Deployed) -> None:
    deployed.send(3)
    settle(deployed)
    rows = deployed.warehouse(
        "SELECT topic, partition, offset, made_at_us, server, loaded_at_us, payload FROM messages"
    )
    for topic, partition, offset, made_at_us, server, loaded_at_us, payload in rows:
        assert (topic, server) == ("pageviews", "frontend-1")
        entry = deployed.cluster.read_log("live.pageviews", partition, offset, 9 + len(payload))
        assert entry[9:] == payload
        assert made_at_us < loaded_at_us < made_at_us + 400_000
    loads = {event["at_us"] for event in deployed.events("load_committed")}
    assert {row[5] for row in rows} <= loads


def test_the_registry_holds_no_offset_of_the_loader(deployed: Deployed) -> None:
    settle(deployed)
    assert not [path for path in deployed.cluster.snapshot()["registry"] if "oader" in path]


def step_of(deployed: Deployed) -> str:
    """Return the step that the loader is in."""
    return "fetching" if deployed.loader._job_runs and deployed.loader.state == "waiting" else deployed.loader.state


@pytest.mark.parametrize("step", ["waiting", "fetching", "writing"])
def test_a_loader_that_crashes_repeatedly_at_one_step_neither_loses_nor_duplicates_rows(
    make_deployed: Deploy, step: str
) -> None:
    deployed = make_deployed(with_deployment(SMALL, loader_write_us=3_000))
    for _ in range(10):
        deployed.send(4)
        deployed.run_ms(10)
        while step_of(deployed) != step:
            deployed.cluster.step()
        table = deployed.table()
        deployed.do("crash_loader")
        assert deployed.events("loader_crashed")[-1]["step"] == step
        assert deployed.table() == table
        deployed.send(1)
        deployed.run_ms(7)
        deployed.do("start_loader")
        assert deployed.events("loader_started")[-1]["rows"] == table.total()
    settle(deployed)
    assert deployed.table() == deployed.originals()


def test_the_content_of_an_open_transaction_is_loaded_again_after_a_restart(make_deployed: Deploy) -> None:
    deployed = make_deployed(with_deployment(SMALL, loader_write_us=30_000))
    settle(deployed)
    deployed.send(5)
    while step_of(deployed) != "writing":
        deployed.cluster.step()
    (begun,) = deployed.events("load_begun")[-1:]
    deployed.run_ms(10)
    deployed.do("crash_loader")
    assert begun["rows"] > 0
    assert (deployed.originals() - deployed.table()).total() == 5
    deployed.do("start_loader")
    settle(deployed)
    assert begun["load"] not in [event["load"] for event in deployed.events("load_committed")]
    assert deployed.table() == deployed.originals()


@pytest.mark.parametrize("seed", range(5))
def test_a_loader_that_crashes_at_any_moment_stores_what_the_analysis_logs_hold(
    make_deployed: Deploy, seed: int
) -> None:
    """Other faults cause loss and duplicates elsewhere; between the analysis logs and the table there are none."""
    chance = Random(seed)
    deployed = make_deployed(seed=seed)
    for _ in range(40):
        deployed.send(chance.randrange(4) + 1)
        deployed.run_ms(chance.uniform(0, 15))
        act = chance.randrange(5)
        if act == 0 and deployed.loader.alive:
            deployed.do("crash_loader")
        elif act == 1 and not deployed.loader.alive:
            deployed.do("start_loader")
        elif act == 2:
            deployed.do("set_link", **{"from": "loader:Loader", "to": "broker:12"}, cut=chance.random() < 0.5)
        elif act == 3:
            broker = deployed.cluster.state.broker(11)
            deployed.do("crash_broker" if broker.alive else "start_broker", broker=11)
    deployed.do("heal_links")
    if not deployed.cluster.state.broker(11).alive:
        deployed.do("start_broker", broker=11)
    if not deployed.loader.alive:
        deployed.do("start_loader")
    deployed.run_ms(1_000)
    assert deployed.table() == deployed.copies()


def test_a_message_that_the_mirror_sent_twice_becomes_two_rows(
    deployed: Deployed,
) -> None:
    deployed.do("set_consumer", group="Mirror", consumer="A", commit_interval_ms=1_000)
    deployed.send_steadily(60)
    deployed.run_ms(30)
    deployed.do("crash_consumer", group="Mirror", consumer="A")
    deployed.do("add_consumer", group="Mirror", consumer="A")
    deployed.run_ms(1_000)
    assert deployed.table() == deployed.copies()
    assert deployed.table().total() > deployed.originals().total()


def test_a_machine_fault_in_the_warehouse_stops_the_cluster_and_does_not_crash_the_loader(deployed: Deployed) -> None:
    settle(deployed)
    held = sqlite3.connect(deployed.directory / "warehouse-1.sqlite3", isolation_level=None)
    held.execute("PRAGMA locking_mode = EXCLUSIVE")
    held.execute("BEGIN EXCLUSIVE")
    deployed.loader._warehouse._connection.execute("PRAGMA busy_timeout = 0")
    deployed.send(3)
    with pytest.raises(MachineFault, match="locked"):
        settle(deployed)
    assert deployed.loader.state != "crashed"
    held.close()
    with pytest.raises(MachineFault, match="locked"):
        settle(deployed)


def test_partitions_of_a_missing_broker_are_loaded_when_it_is_back_and_others_meanwhile(deployed: Deployed) -> None:
    deployed.send_steadily(60)
    settle(deployed)
    deployed.do("stop_broker", broker=12)
    deployed.send_steadily(60)
    settle(deployed)
    missing = deployed.originals() - deployed.table()
    assert missing.total() > 0
    assert set(missing) <= set(deployed.log("pageviews", 1))
    deployed.do("start_broker", broker=12)
    settle(deployed)
    assert deployed.table() == deployed.originals()


def test_damaged_bytes_are_reported_once_and_delay_no_other_partition(deployed: Deployed) -> None:
    deployed.do("crash_loader")
    deployed.send_steadily(60)
    deployed.run_ms(100)
    offset = deployed.loader.next_offsets[TopicPartition("live.pageviews", 1)]
    deployed.do("corrupt", topic="live.pageviews", partition=1, offset=offset)
    deployed.do("start_loader")
    settle(deployed)
    (stuck,) = deployed.events("load_stuck")
    assert (stuck["topic"], stuck["partition"], stuck["error"]) == ("live.pageviews", 1, "invalid_message")
    missing = deployed.originals() - deployed.table()
    assert missing.total() > 3
    assert set(missing) < set(deployed.log("pageviews", 1))
    assert not deployed.table() - deployed.originals()


def test_a_partition_that_cannot_be_read_is_reported_and_loaded_once_it_can_be_read(deployed: Deployed) -> None:
    settle(deployed)
    deployed.do("set_disk", broker=12, fails="read")
    deployed.send_steadily(60)
    settle(deployed)
    (stuck,) = deployed.events("load_stuck")
    assert (stuck["topic"], stuck["partition"], stuck["error"]) == ("live.pageviews", 1, "unknown_server_fault")
    assert (deployed.originals() - deployed.table()).total() > 0
    deployed.do("set_disk", broker=12)
    settle(deployed)
    assert deployed.table() == deployed.originals()
    assert deployed.events("multi_fetch_offset_reset") == []


def test_fetches_too_small_for_a_length_field_are_reported_and_not_taken_for_the_end(make_deployed: Deploy) -> None:
    deployed = make_deployed(with_deployment(SMALL, loader_fetch_bytes=3))
    deployed.send_steadily(60)
    settle(deployed)
    assert {event["error"] for event in deployed.events("load_stuck")} == {"invalid_message_size"}


def stuck_places(deployed: Deployed) -> list[tuple[str, int]]:
    """Return the error and the partition of each time that the loader reported to be stuck."""
    return [(event["error"], event["partition"]) for event in deployed.events("load_stuck")]


def test_a_loader_that_gets_stuck_again_reports_it_again(deployed: Deployed) -> None:
    partition = TopicPartition("live.pageviews", 1)
    for times in (1, 2, 3):
        deployed.do("crash_loader")
        deployed.send_steadily(60)
        deployed.run_ms(100)
        deployed.do("start_loader")
        damaged = {"topic": "live.pageviews", "partition": 1, "offset": deployed.loader.next_offsets[partition]}
        deployed.do("corrupt", **damaged)
        settle(deployed)
        assert stuck_places(deployed) == [("invalid_message", 1)] * times
        deployed.do("corrupt", **damaged)
        settle(deployed)
        assert deployed.table() == deployed.originals()


def test_a_loader_reports_each_offset_at_which_it_gets_stuck(deployed: Deployed) -> None:
    """Once the damage at one offset is repaired, the loader reaches the next in the same answer."""
    settle(deployed)
    partition = TopicPartition("live.pageviews", 1)
    deployed.do("set_link", **{"from": "loader:Loader", "to": "broker:12"}, cut=True)
    offsets = [deployed.loader.next_offsets[partition]]
    while len(offsets) < 4:
        deployed.send_steadily(20)
        deployed.run_ms(30)
        if newest_entry(deployed, partition) > offsets[-1]:
            offsets.append(newest_entry(deployed, partition))
    for offset in offsets[1:]:
        deployed.do("corrupt", topic=partition.topic, partition=1, offset=offset)
    deployed.do("heal_links")
    settle(deployed)
    for times, offset in enumerate(offsets[1:], start=1):
        assert deployed.loader.next_offsets[partition] == offset
        assert stuck_places(deployed).count(("invalid_message", 1)) == times
        deployed.do("corrupt", topic=partition.topic, partition=1, offset=offset)
        settle(deployed)
    assert stuck_places(deployed).count(("invalid_message", 1)) == 3
    assert deployed.table() == deployed.originals()


def test_new_damage_at_an_offset_that_a_recovery_cut_is_reported_again(
    deployed: Deployed,
) -> None:
    partition = TopicPartition("live.pageviews", 1)
    for times in (1, 2, 3):
        settle(deployed)
        offset = deployed.loader.next_offsets[partition]
        for _ in deployed.logs("pageviews"):
            deployed.send(1)
        while deployed.partition(1, "live.pageviews")["flushed_offset"] == offset:
            deployed.cluster.step()
        deployed.do("corrupt", topic="live.pageviews", partition=1, offset=offset)
        settle(deployed)
        assert deployed.loader.next_offsets[partition] == offset
        assert stuck_places(deployed).count(("invalid_message", 1)) == times
        deployed.do("crash_broker", broker=12)
        deployed.do("start_broker", broker=12)
        assert deployed.events("log_cut")[-1]["next_offset"] == offset


def newest_entry(deployed: Deployed, partition: TopicPartition) -> int:
    """Return where the last flushed message of a copy begins."""
    flushed_offset = deployed.partition(partition.partition, partition.topic)["flushed_offset"]
    offsets = [entry[0] for entry in deployed.cluster.state.message_indexes[partition].recent]
    return int(max(offset for offset in offsets if offset < flushed_offset))


def test_messages_that_retention_deletes_before_loading_are_lost_and_the_audit_counts_them(
    make_deployed: Deploy,
) -> None:
    config = replace(SMALL, retention_bytes=3_000, retention_check_interval_us=20_000)
    deployed = make_deployed(config)
    deployed.do("crash_loader")
    deployed.send_steadily(300)
    deployed.run_ms(300)
    deployed.do("start_loader")
    deployed.run_ms(700)
    resets = deployed.events("multi_fetch_offset_reset")
    assert {event["client"] for event in resets} >= {"loader:Loader"}
    loaded = sum(one["received"] for one in deployed.audit("warehouse"))
    produced = sum(one["produced"] for one in deployed.audit("warehouse"))
    lost = sum(one["lost"] for one in deployed.audit("warehouse"))
    assert lost > 0
    assert produced - loaded == lost
    assert deployed.table().total() == loaded


def test_messages_without_a_stamp_are_loaded_too(deployed: Deployed) -> None:
    deployed.do("produce", topic="pageviews", records=[{"value": "by hand"}])
    deployed.do("produce", topic="audit", records=[{"value": "no monitoring event"}])
    settle(deployed)
    assert deployed.warehouse("SELECT payload, server, made_at_us FROM messages WHERE server = ''") == [
        (b"by hand", "", 0)
    ]
    assert deployed.table() == deployed.originals()


def test_loader_commands_for_a_wrong_state_or_an_unknown_loader_are_refused(
    deployed: Deployed, make_stage: MakeStage
) -> None:
    with pytest.raises(WrongState):
        deployed.do("start_loader")
    deployed.do("crash_loader", loader="Loader")
    with pytest.raises(WrongState):
        deployed.do("crash_loader")
    with pytest.raises(UnknownName, match="Nobody"):
        deployed.do("start_loader", loader="Nobody")
    with pytest.raises(UnknownName):
        make_stage().do("crash_loader")
