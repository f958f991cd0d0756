"""A mirror that asks for acknowledgements: what that saves, and what it costs."""

from dataclasses import replace
from itertools import pairwise

import pytest

from engine.errors import InvalidCommand, UnknownName
from engine.scenarios import MIRROR
from tests.engine.conftest import Deploy, MakeStage
from tests.support.deployments import SMALL, Deployed, with_deployment

ASKING = with_deployment(SMALL, mirror_acknowledgement="broker")


def unflushed(deployed: Deployed) -> int:
    """Return the bytes of a copy that a crash would lose."""
    log = deployed.partition(1, "live.pageviews")
    return int(log["next_offset"] - log["flushed_offset"])


@pytest.fixture
def asking(make_deployed: Deploy) -> Deployed:
    return make_deployed(ASKING)


def test_a_broker_acknowledges_to_the_mirror_that_asked_and_not_to_the_producer(asking: Deployed) -> None:
    asking.send_steadily(100)
    asking.run_ms(200)
    received = asking.events("acknowledgement_received")
    assert {event["client"] for event in received} == {f"mirror:{MIRROR}/A"}
    mirrored = {event["batch"] for event in asking.events("batch_mirrored")}
    assert {event["batch"] for event in received} == mirrored
    assert asking.logs("live.pageviews") == asking.logs("pageviews")
    assert asking.cluster.snapshot()["flights"].keys() & {f"ack:{batch}" for batch in mirrored} == set()


def test_one_set_per_partition_is_in_flight_at_a_time(asking: Deployed) -> None:
    asking.do("set_link", **{"from": f"mirror:{MIRROR}/A", "to": "broker:11"}, delay_ms=8)
    asking.send_steadily(200, count=4)
    asking.run_ms(300)
    known = {event["batch"]: event["at_us"] for event in asking.events("acknowledgement_received")}
    sent = [one for one in asking.events("batch_mirrored") if one["topic"] == "live.pageviews" and not one["partition"]]
    assert len(sent) > 10
    for earlier, later in pairwise(sent):
        assert later["at_us"] >= known[earlier["batch"]]
        assert later["source_offset"] == earlier["source_next_offset"]
    assert asking.logs("live.pageviews") == asking.logs("pageviews")


def test_a_position_is_committed_only_after_its_messages_are_acknowledged(asking: Deployed) -> None:
    asking.do("set_link", **{"from": f"mirror:{MIRROR}/A", "to": "broker:11"}, loss_percent=30)
    asking.send_steadily(300)
    settled: dict[tuple[str, int], int] = {}
    sent = {}
    commits = 0
    for event in asking.events("batch_mirrored", "acknowledgement_received", "commit_sent"):
        if event["event"] == "batch_mirrored":
            sent[event["batch"]] = event
        elif event["event"] == "acknowledgement_received":
            batch = sent[event["batch"]]
            settled[batch["source_topic"], batch["source_partition"]] = batch["source_next_offset"]
        elif event["group"] == MIRROR:
            commits += 1
            assert event["offset"] <= settled.get((event["topic"], event["partition"]), 0)
    assert commits > 20


@pytest.mark.parametrize("acknowledgement", ["none", "broker"])
def test_messages_to_a_crashed_broker_are_missing_in_the_audit_unless_acknowledged(
    make_deployed: Deploy, acknowledgement: str
) -> None:
    config = replace(SMALL, flush_messages=1, session_timeout_us=200_000)
    deployed = make_deployed(with_deployment(config, mirror_acknowledgement=acknowledgement))
    deployed.send_steadily(60)
    deployed.do("crash_broker", broker=12)
    deployed.send_steadily(400)
    deployed.do("start_broker", broker=12)
    deployed.run_ms(2_000)
    sent = deployed.originals().total()
    assert deployed.totals("live") == (sent, sent, 0, 0)
    missing = (deployed.originals() - deployed.copies()).total()
    if acknowledgement == "none":
        assert missing > 0
        assert deployed.totals("warehouse") == (sent, sent - missing, missing, 0)
    else:
        assert missing == 0
        assert deployed.totals("warehouse")[:3] == (sent, deployed.copies().total(), 0)


def test_messages_that_were_acknowledged_and_not_flushed_are_lost_in_a_crash(make_deployed: Deploy) -> None:
    deployed = make_deployed(replace(ASKING, flush_messages=1_000, flush_interval_us=80_000))
    deployed.send_steadily(100)
    while not unflushed(deployed):
        deployed.send_steadily(5)
    deployed.run_ms(2)
    deployed.do("crash_broker", broker=12)
    deployed.run_ms(200)
    deployed.do("start_broker", broker=12)
    deployed.run_ms(1_000)
    cut = sum(event["messages_cut"] for event in deployed.events("log_cut") if event["topic"] == "live.pageviews")
    assert cut > 0
    assert (deployed.originals() - deployed.copies()).total() == cut


def test_a_lossy_wire_causes_duplicates_and_loses_no_message(asking: Deployed) -> None:
    for broker in (11, 12, 13):
        asking.do("set_link", **{"from": f"mirror:{MIRROR}/A", "to": f"broker:{broker}"}, loss_percent=30)
    asking.send_steadily(400)
    asking.do("heal_links")
    asking.run_ms(1_000)
    assert set(asking.copies()) == set(asking.originals())
    assert asking.copies().total() > asking.originals().total()
    assert {event["reason"] for event in asking.events("batch_lost")} >= {"not_acknowledged"}
    for source, copy in zip(asking.logs("pageviews"), asking.logs("live.pageviews"), strict=True):
        assert list(dict.fromkeys(copy)) == source  # in order, the first time each


def test_crashes_freezes_and_rebalances_of_mirrors_lose_nothing_and_leave_no_flight_behind(
    make_deployed: Deploy,
) -> None:
    deployed = make_deployed(ASKING, mirrors=("A", "B"))
    deployed.send_steadily(50)
    deployed.do("crash_consumer", group=MIRROR, consumer="A")
    deployed.send_steadily(250)
    deployed.do("add_consumer", group=MIRROR, consumer="A")
    deployed.send_steadily(50)
    deployed.do("freeze_consumer", group=MIRROR, consumer="B", duration_ms=30)
    deployed.send_steadily(20)
    deployed.do("crash_consumer", group=MIRROR, consumer="B")
    deployed.send_steadily(50)
    deployed.do("stop_consumer", group=MIRROR, consumer="A")
    deployed.do("add_consumer", group=MIRROR, consumer="B")
    deployed.run_ms(1_000)
    assert set(deployed.copies()) == set(deployed.originals())
    flights = deployed.cluster.snapshot()["flights"].values()
    assert [flight for flight in flights if flight["due_us"] < deployed.cluster.now_us] == []


def test_an_acknowledgement_for_a_crashed_mirror_is_dropped_on_arrival(asking: Deployed) -> None:
    asking.do("set_disk", broker=11, delay_ms=10)
    while not any(name.startswith("disk:") for name in asking.cluster.snapshot()["flights"]):
        asking.send_steadily(5)
    asking.do("crash_consumer", group=MIRROR, consumer="A")
    asking.run_ms(100)
    gone = [event for event in asking.events("message_dropped") if event["cause"] == "gone"]
    assert {event["destination"] for event in gone} == {f"mirror:{MIRROR}/A"}
    assert {event["flight"].partition(":")[0] for event in gone} == {"ack"}


def test_acknowledgements_can_be_switched_on_and_off_while_mirrors_run(deployed: Deployed) -> None:
    deployed.do("set_mirror", acknowledgement="broker")
    deployed.do("set_link", **{"from": f"mirror:{MIRROR}/A", "to": "broker:11"}, cut=True)
    deployed.send_steadily(100)
    deployed.do("set_mirror", group=MIRROR, acknowledgement="none")
    deployed.do("heal_links")
    deployed.send_steadily(100)
    deployed.run_ms(500)
    assert [event["acknowledgement"] for event in deployed.events("mirror_changed")] == ["broker", "none"]
    assert deployed.cluster.facts()["deployment"]["mirrors"][0]["acknowledgement"] == "none"
    assert set(deployed.copies()) == set(deployed.originals())
    before = len(deployed.events("acknowledgement_received"))
    deployed.send_steadily(100)
    assert len(deployed.events("acknowledgement_received")) == before


def test_a_committed_offset_that_is_moved_by_hand_stays_where_it_was_put(asking: Deployed) -> None:
    asking.do("set_link", **{"from": f"mirror:{MIRROR}/A", "to": "broker:11"}, cut=True)
    asking.send_steadily(60)
    end = asking.cluster.facts()["topics"][0]["partitions"][0]["flushed_offset"]
    asking.do("seek", group=MIRROR, topic="pageviews", partition=0, offset="latest")
    asking.run_ms(100)
    assert asking.position(0, MIRROR)["committed_offset"] >= end


def test_an_unknown_mirror_or_acknowledgement_is_refused_by_name(asking: Deployed, make_stage: MakeStage) -> None:
    with pytest.raises(UnknownName, match="Nobody"):
        asking.do("set_mirror", group="Nobody", acknowledgement="broker")
    with pytest.raises(InvalidCommand, match="acknowledgement"):
        asking.do("set_mirror", acknowledgement="perhaps")
    with pytest.raises(UnknownName, match="no mirror"):
        make_stage().do("set_mirror", acknowledgement="broker")
