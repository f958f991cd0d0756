"""A mirror copies from one datacenter to the other, at least once."""

from pathlib import Path

import pytest

from engine.commands import apply, parse_command
from engine.ids import BrokerId, GroupId
from engine.producer.partitioner import keyed_index
from engine.scenarios import ANALYSIS, MIRROR, deploy
from tests.engine.conftest import Deploy
from tests.support.clusters import Stage
from tests.support.deployments import SMALL, Deployed, with_deployment


def mirrored_after_the_last_commit(deployed: Deployed) -> int:
    """Return how many messages a mirror has sent whose positions are not committed in the registry."""
    registry = deployed.cluster.snapshot()["registry"]
    after = 0
    for event in deployed.events("batch_mirrored"):
        broker = deployed.cluster.state.topics[event["source_topic"]][event["source_partition"]]
        node = f"/consumers/{MIRROR}/offsets/{event['source_topic']}/{broker}-{event['source_partition']}"
        committed = int(registry.get(node, ["0", ""])[0])
        if event["source_topic"] == "pageviews" and event["source_offset"] >= committed:
            after += event["messages"]
    return after


def test_every_partition_is_copied_message_by_message_and_in_order(deployed: Deployed) -> None:
    deployed.send_steadily(300)
    deployed.run_ms(200)
    assert deployed.logs("live.pageviews") == deployed.logs("pageviews")
    assert sum(map(len, deployed.logs("pageviews"))) == 123


def test_the_copies_are_on_brokers_that_only_the_other_registry_knows(deployed: Deployed) -> None:
    registry = deployed.cluster.snapshot()["registry"]
    brokers = sorted(path for path in registry if "/brokers/ids/" in path)
    assert brokers == [f"/analysis/brokers/ids/{number}" for number in (11, 12, 13)] + [
        f"/brokers/ids/{number}" for number in (1, 2, 3)
    ]
    assert {path for path in registry if "live.pageviews" in path} == {
        "/analysis/brokers/topics/live.pageviews",
        *(f"/analysis/brokers/topics/live.pageviews/{number}" for number in (11, 12, 13)),
    }
    tree = deployed.cluster.registry_tree()
    assert [child["path"] for child in tree["children"]] == ["/brokers", "/consumers", "/analysis"]


@pytest.mark.parametrize(("partitions", "copies"), [(4, 2), (4, 3), (2, 4)])
def test_a_key_stays_in_one_partition_of_the_copy_and_by_its_hash_if_the_counts_allow(
    tmp_path: Path, partitions: int, copies: int
) -> None:
    stage = Stage(tmp_path, SMALL, brokers=0)
    deploy(stage.cluster)
    live, analysis = [BrokerId(1), BrokerId(2)], [BrokerId(11), BrokerId(12)]
    stage.cluster.add_topic("keyed", [live[number % 2] for number in range(partitions)])
    stage.cluster.add_topic("live.keyed", [analysis[number % 2] for number in range(copies)])
    group = GroupId("Keyed mirror")
    stage.cluster.add_group(group, ("keyed",))
    stage.cluster.deployer.make_mirrors(group, {"keyed": "live.keyed"})
    stage.run_ms(20)
    keys = [f"user-{number}" for number in range(30)]
    stage.do("produce", topic="keyed", records=[{"key": key, "value": key} for key in keys * 2])
    stage.do("add_consumer", group=group, consumer="A")
    stage.run_ms(400)
    places: dict[str, set[int]] = {key: set() for key in keys}
    for event in stage.events("batch_appended"):
        if event["topic"] == "live.keyed":
            for key in event["previews"]:
                places[key].add(event["partition"])
    assert all(len(found) == 1 for found in places.values())
    if partitions % copies == 0:
        assert {key: found.pop() for key, found in places.items()} == {key: keyed_index(key, copies) for key in keys}
    assert stage.cluster.check() == []
    stage.cluster.close()


def test_no_position_is_committed_before_everything_up_to_it_was_sent(make_deployed: Deploy) -> None:
    deployed = make_deployed(with_deployment(SMALL, mirror_batch_messages=50, mirror_linger_us=40_000))
    deployed.send_steadily(500)
    sent: dict[tuple[str, int], int] = {}
    commits = 0
    for event in deployed.events("batch_mirrored", "commit_sent"):
        if event["event"] == "batch_mirrored":
            sent[event["source_topic"], event["source_partition"]] = event["source_next_offset"]
        elif event["group"] == MIRROR:
            commits += 1
            assert event["offset"] <= sent.get((event["topic"], event["partition"]), 0)
    assert commits > 20


def test_a_mirror_resends_uncommitted_messages_after_a_crash_and_loses_nothing(make_deployed: Deploy) -> None:
    config = with_deployment(SMALL, mirror_linger_us=1_000)
    deployed = make_deployed(config)
    deployed.do("set_consumer", group=MIRROR, consumer="A", commit_interval_ms=1_000)
    deployed.run_ms(50)
    deployed.do("commit", group=MIRROR)
    deployed.run_ms(5)
    deployed.send_steadily(100)
    deployed.run_ms(30)
    again = mirrored_after_the_last_commit(deployed)
    deployed.do("crash_consumer", group=MIRROR, consumer="A")
    assert again == 40
    deployed.do("add_consumer", group=MIRROR, consumer="A")
    deployed.run_ms(400)
    originals, copies = deployed.originals(), deployed.copies()
    assert set(copies) == set(originals)
    assert copies.total() - originals.total() == again
    assert set(copies.values()) == {1, 2}


def test_messages_that_linger_at_a_crash_are_mirrored_once_after_the_restart(make_deployed: Deploy) -> None:
    deployed = make_deployed(with_deployment(SMALL, mirror_batch_messages=1_000, mirror_linger_us=1_000_000))
    deployed.do("set_consumer", group=MIRROR, consumer="A", commit_interval_ms=0)
    deployed.send(5)
    deployed.run_ms(30)
    deployed.do("crash_consumer", group=MIRROR, consumer="A")
    before = deployed.copies().total()
    deployed.do("add_consumer", group=MIRROR, consumer="A")
    deployed.run_ms(300)
    deployed.do("commit", group=MIRROR)
    deployed.run_ms(30)
    assert before < deployed.originals().total()
    assert deployed.copies() == deployed.originals()


def test_a_mirror_that_is_stopped_sends_what_it_holds_and_leaves_no_duplicate(make_deployed: Deploy) -> None:
    deployed = make_deployed(with_deployment(SMALL, mirror_batch_messages=1_000, mirror_linger_us=1_000_000))
    deployed.send(6)
    deployed.run_ms(30)
    deployed.do("stop_consumer", group=MIRROR, consumer="A")
    deployed.send(6)
    deployed.run_ms(100)
    assert deployed.cluster.facts()["groups"][0]["consumers"][0]["state"] == "closed"
    deployed.do("add_consumer", group=MIRROR, consumer="A")
    deployed.run_ms(200)
    deployed.do("stop_consumer", group=MIRROR, consumer="A")
    deployed.run_ms(50)
    assert deployed.copies() == deployed.originals()


def test_two_mirrors_share_the_partitions_and_one_takes_over_what_the_other_had(make_deployed: Deploy) -> None:
    deployed = make_deployed(mirrors=("A", "B"))
    deployed.send_steadily(100)
    assert {event["consumer"] for event in deployed.events("batch_mirrored")} == {"A", "B"}
    deployed.do("crash_consumer", group=MIRROR, consumer="A")
    deployed.send_steadily(100)
    deployed.run_ms(400)
    assert set(deployed.copies()) == set(deployed.originals())


def test_a_mirror_waits_for_the_broker_of_one_partition_and_copies_the_others(deployed: Deployed) -> None:
    deployed.do("stop_broker", broker=12)
    deployed.run_ms(20)
    before = deployed.log("live.pageviews", 1)
    deployed.send_steadily(200)
    deployed.run_ms(100)
    assert deployed.log("live.pageviews", 0) == deployed.log("pageviews", 0)
    assert deployed.log("live.pageviews", 2) == deployed.log("pageviews", 2)
    assert deployed.log("live.pageviews", 1) == before
    deployed.do("start_broker", broker=12)
    deployed.run_ms(300)
    assert deployed.copies() == deployed.originals()


def test_exactly_the_unflushed_messages_of_a_crashed_broker_are_lost(deployed: Deployed) -> None:
    deployed.send_steadily(60)
    deployed.do("crash_broker", broker=11)
    deployed.run_ms(300)
    deployed.do("start_broker", broker=11)
    deployed.send_steadily(60)
    deployed.run_ms(300)
    lost = sum(event["messages_cut"] for event in deployed.events("log_cut"))
    lost += sum(event["messages"] for event in deployed.events("batch_lost"))
    missing = deployed.originals() - deployed.copies()
    assert missing.total() <= lost
    assert set(missing) <= set(deployed.log("pageviews", 0))


def test_a_mirror_cut_off_from_the_other_datacenter_loses_only_what_was_on_the_wire(deployed: Deployed) -> None:
    link = {"from": f"mirror:{MIRROR}/A", "to": "broker:13"}
    deployed.do("set_link", **link, cut=True)
    deployed.send_steadily(50)
    deployed.run_ms(50)
    deployed.do("set_link", **link)
    deployed.send_steadily(50)
    deployed.run_ms(200)
    lost = sum(event["messages"] for event in deployed.events("batch_lost") if event["reason"] == "not_delivered")
    assert lost > 0
    assert (deployed.originals() - deployed.copies()).total() == lost


def test_a_frozen_mirror_loses_nothing_when_another_takes_over(make_deployed: Deploy) -> None:
    deployed = make_deployed(mirrors=("A", "B"))
    deployed.send_steadily(50)
    deployed.do("freeze_consumer", group=MIRROR, consumer="A", duration_ms=300)
    deployed.send_steadily(300)
    deployed.run_ms(500)
    assert set(deployed.copies()) == set(deployed.originals())


def test_compressed_sets_are_mirrored_message_by_message(deployed: Deployed) -> None:
    deployed.do("set_producer", topic="pageviews", compression="gzip")
    for _ in range(3):
        deployed.send(9)
    deployed.run_ms(200)
    assert deployed.logs("live.pageviews") == deployed.logs("pageviews")


def test_a_group_in_the_other_datacenter_uses_that_datacenter_s_registry(deployed: Deployed) -> None:
    deployed.do("add_group", group="Analysts", topic="live.pageviews")
    deployed.do("add_consumer", group="Analysts")
    deployed.send_steadily(100)
    deployed.run_ms(300)
    (analysts,) = [group for group in deployed.cluster.facts()["groups"] if group["group"] == "Analysts"]
    assert [place["lag_messages"] for place in analysts["partitions"]] == [0, 0, 0]
    assert {place["owner"] for place in analysts["partitions"]} == {"Analysts A"}
    assert "/analysis/consumers/Analysts/owners/live.pageviews/11-0" in deployed.cluster.snapshot()["registry"]
    deployed.do("expire_session", client="consumer:Analysts/Analysts A")
    deployed.do("expire_session", client=f"mirror:{MIRROR}/A")
    deployed.run_ms(300)
    (analysts,) = [group for group in deployed.cluster.facts()["groups"] if group["group"] == "Analysts"]
    assert {place["owner"] for place in analysts["partitions"]} == {"Analysts A"}


def test_a_topic_that_is_added_exists_in_the_live_datacenter_only(deployed: Deployed) -> None:
    deployed.do("add_topic", topic="more", partitions=6)
    assert set(deployed.cluster.state.topics["more"]) == {1, 2, 3}
    deployed.cluster.add_broker(BrokerId(14), ANALYSIS)
    apply(deployed.cluster, parse_command({"command": "add_broker"}))
    assert deployed.cluster.state.datacenter_of(BrokerId(15)) == "live"
