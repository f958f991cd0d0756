"""Bad wires, bad disks, frozen processes: what is lost, what recovers, and which process stops in time."""

from dataclasses import replace

import pytest

from engine.config import TINY
from engine.consumer.rebalance import ConsumerState
from engine.errors import InvalidCommand, UnknownName, WrongState
from engine.registry.operations import SessionGone
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage, with_consumer


def consumed(stage: Stage, name: str = "A") -> int:
    return sum(event["messages"] for event in stage.events("messages_consumed") if event["consumer"] == name)


def test_a_cut_link_drops_a_batch_silently_and_a_restored_one_carries_the_next(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    stage.do("produce", count=1)
    stage.run_ms(5)
    (dropped,) = stage.events("message_dropped")
    assert (dropped["flight"], dropped["cause"]) == ("batch:2", "cut")
    assert stage.cluster.snapshot()["flights"] == {}
    stage.do("heal_links")
    assert stage.cluster.snapshot()["links"] == {}
    stage.do("produce", count=1)
    stage.run_ms(5)
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 2


def test_a_consumer_cut_off_from_its_broker_times_out_and_catches_up_when_the_link_is_back(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "broker:1"}, cut=True)
    stage.do("produce", records=[{"value": "late"}])
    stage.run_ms(200)
    assert {event["reason"] for event in stage.events("fetch_failed")} >= {"timeout"}
    assert consumed(stage) == 1
    stage.do("heal_links")
    stage.run_ms(200)
    assert consumed(stage) == 2


def test_a_wire_slower_than_the_timeout_delays_commits_and_nothing_else(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "registry"}, delay_ms=15)
    stage.do("produce", count=1)
    stage.run_ms(300)
    sent = [event["commit"] for event in stage.events("commit_sent")]
    assert len(set(sent)) < len(sent)
    assert stage.position()["committed_offset"] == stage.partition()["next_offset"]


def test_a_lossy_wire_loses_no_message_that_the_broker_has(make_stage: MakeStage) -> None:
    stage = make_stage(with_consumer(TINY, fetch_bytes=1000), seed=3).with_topic().with_group("A", "B")
    for address in ("broker:1", "broker:2", "broker:3", "registry"):
        for name in ("A", "B"):
            stage.do("set_link", **{"from": f"consumer:{GROUP}/{name}", "to": address}, loss_percent=20)
    for _ in range(30):
        stage.do("produce", count=2)
        stage.run_ms(20)
        assert stage.cluster.check() == []
    stage.do("heal_links")
    stage.run_ms(2_000)
    assert stage.events("message_dropped")
    facts = stage.cluster.facts()
    assert [place["lag_messages"] for place in facts["groups"][0]["partitions"]] == [0, 0, 0]


def test_a_delayed_link_delivers_everything_later_and_in_order(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, delay_ms=50)
    stage.do("produce", records=[{"value": "one"}])
    stage.do("heal_links")
    stage.do("produce", records=[{"value": "two"}])
    (first, second) = stage.events("batch_sent")[-2:]
    assert first["due_us"] - first["at_us"] >= 50_000
    stage.run_ms(100)
    assert [event["previews"] for event in stage.events("batch_appended")[-2:]] == [["one"], ["two"]]
    assert second["due_us"] >= first["due_us"]


def test_a_consumer_cut_off_from_the_registry_stops_before_another_owns_its_partitions(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "registry"}, cut=True)
    stage.run_ms(400)
    assert stage.owners()["B"] == ["clicks-0", "clicks-1", "clicks-2"]
    stopped_us = max(event["at_us"] for event in stage.events("fetching_stopped") if event["consumer"] == "A")
    taken_us = min(
        event["at_us"]
        for event in stage.events("node_created")
        if "/owners/" in event["path"] and event["value"] == "B-0" and event["path"].endswith("1-0")
    )
    assert stopped_us < taken_us
    (expired,) = stage.events("consumer_expired")
    assert expired["consumer"] == "A"
    assert stopped_us == expired["at_us"] < taken_us
    assert stage.consumer("A").state.name == "expired"
    facts = stage.cluster.facts()["groups"][0]["consumers"][0]
    assert (facts["state"], facts["alive"], facts["owns"]) == ("expired", True, [])
    stage.do("heal_links")
    stage.run_ms(500)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}
    assert stage.consumer("A").state.name == "running"


def test_a_consumer_that_loses_its_session_in_a_rebalance_leaves_that_rebalance(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    stage.do("add_consumer", group=GROUP, consumer="B")
    while stage.consumer("A").state.name != "rebalancing":
        stage.run_ms(1)
    stage.do("expire_session", client=f"consumer:{GROUP}/A")
    while not stage.events("consumer_expired"):
        stage.run_ms(1)
    card = stage.cluster.snapshot()["consumers"][f"{GROUP}/A"]
    assert card["state"] == "expired"
    assert (card["rebalance"]["step"], card["rebalance"]["attempt"]) == ("", 0)


def test_a_closing_consumer_whose_session_runs_out_ends_as_closed_not_as_expired(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "registry"}, cut=True)
    stage.do("stop_consumer", consumer="A")
    stage.run_ms(500)
    assert stage.events("consumer_expired") == []
    assert stage.consumer("A").state.name == "closed"


def test_a_consumer_that_rejoins_claims_nothing_until_its_old_session_ends(make_stage: MakeStage) -> None:
    stage = make_stage().with_topic(1).with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "registry"}, delay_ms=45)
    stage.run_ms(80)
    stage.do("heal_links")
    stage.do("add_consumer", group=GROUP, consumer="B")
    for _ in range(400):
        stage.run_ms(1)
        assert stage.cluster.check() == []
    owners: dict[str, str] = {}
    for event in stage.events("node_created", "node_deleted", "fetching_started"):
        if event["event"] == "fetching_started":
            assert owners.get("/consumers/readers/owners/clicks/1-0") == f"{event['consumer']}-0"
        elif event["event"] == "node_created":
            owners[event["path"]] = event["value"]
        else:
            owners.pop(event["path"], None)


def test_a_frozen_consumer_loses_its_partitions_and_does_not_touch_them_when_it_resumes(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("set_producer", rate_per_second=300)
    stage.run_ms(100)
    stage.do("freeze_consumer", consumer="A", duration_ms=400)
    (frozen,) = stage.events("consumer_frozen")
    stage.run_ms(399)
    assert stage.owners()["B"] == ["clicks-0", "clicks-1", "clicks-2"]
    while_frozen = [
        event
        for event in stage.events("messages_consumed", "fetch_sent", "commit_sent")
        if event["consumer"] == "A" and frozen["at_us"] < event["at_us"] < frozen["until_us"]
    ]
    assert while_frozen == []
    stage.run_ms(2)
    woke = [
        event["event"]
        for event in stage.events()
        if event["at_us"] == frozen["until_us"] and event.get("consumer") == "A"
    ]
    assert woke[0] == "fetching_stopped"
    assert woke[-1] == "consumer_expired"
    assert "messages_consumed" not in woke
    stage.do("set_producer", rate_per_second=0)
    stage.run_ms(1_000)
    assert sorted(part for owns in stage.owners().values() for part in owns) == ["clicks-0", "clicks-1", "clicks-2"]


def test_a_consumer_that_crashes_while_frozen_never_resumes(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("freeze_consumer", consumer="A", duration_ms=40)
    stage.do("stop_broker", broker=1)
    stage.run_ms(20)
    stage.do("crash_consumer", consumer="A")
    assert stage.cluster.snapshot()["flights"] == {}
    before = len(stage.events())
    stage.run_ms(500)
    assert stage.consumer("A").state.name == "gone"
    assert {event["event"] for event in stage.events()[before:]} == {"session_expired", "node_deleted"}
    delivered = {event["watch"] for event in stage.events("watch_delivered")}
    assert delivered == {event["watch"] for event in stage.events("watch_fired")}


def test_a_shorter_freeze_does_not_end_a_longer_one(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("freeze_consumer", consumer="A", duration_ms=100)
    stage.do("freeze_consumer", consumer="A", duration_ms=10)
    first, second = stage.events("consumer_frozen")
    assert first["until_us"] == second["until_us"] == stage.consumer("A").frozen_until_us


def test_a_short_freeze_costs_nothing_but_time(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    before = len(stage.events("rebalance_started"))
    stage.do("freeze_consumer", consumer="A", duration_ms=20)
    stage.run_ms(300)
    assert len(stage.events("rebalance_started")) == before


def test_a_client_whose_session_expires_at_the_registry_registers_again(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("expire_session", client=f"consumer:{GROUP}/B")
    stage.run_ms(600)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}
    stage.do("expire_session", client="broker:1")
    stage.run_ms(600)
    assert "/brokers/ids/1" in stage.cluster.snapshot()["registry"]
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}


def test_a_consumer_whose_session_is_expired_stops_before_another_owns_its_partitions(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("expire_session", client=f"consumer:{GROUP}/A")
    (expired,) = stage.events("session_expired")
    stage.run_ms(500)
    after = [
        event for event in stage.events("fetching_stopped", "fetching_started") if event["at_us"] > expired["at_us"]
    ]
    first = next(event for event in after if event["partition"] == 0)
    assert (first["event"], first["consumer"]) == ("fetching_stopped", "A")
    assert first["at_us"] < next(one for one in after if one["event"] == "fetching_started")["at_us"]
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}


def test_a_slow_disk_writes_in_order_and_waiting_writes_are_listed_as_flights(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("set_disk", broker=1, delay_ms=40)
    for value in ("one", "two"):
        stage.do("produce", records=[{"value": value}])
    stage.run_ms(5)
    assert set(stage.cluster.snapshot()["flights"]) == {"disk:2", "disk:3"}
    stage.run_ms(200)
    appended = stage.events("batch_appended")[-2:]
    assert [event["previews"] for event in appended] == [["one"], ["two"]]
    assert appended[1]["at_us"] - appended[0]["at_us"] == 40_000
    assert stage.cluster.snapshot()["flights"] == {}


def test_writes_that_wait_for_a_disk_are_lost_in_a_crash(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("set_disk", broker=1, delay_ms=40)
    stage.do("produce", count=2)
    stage.run_ms(5)
    stage.do("crash_broker", broker=1)
    (lost,) = stage.events("batch_lost")
    assert (lost["messages"], lost["reason"]) == (2, "broker_down")
    assert stage.cluster.snapshot()["flights"] == {}


def test_a_full_disk_halts_its_broker_at_the_next_append_and_once_repaired_it_restarts(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("set_disk", broker=1, full=True)
    stage.do("produce", count=1)
    stage.run_ms(5)
    (lost,) = stage.events("batch_lost")
    assert lost["reason"] == "storage_failed"
    assert [event["broker"] for event in stage.events("broker_crashed")] == [1]
    stage.do("set_disk", broker=1)
    stage.do("start_broker", broker=1)
    stage.run_ms(500)
    stage.do("produce", count=1)
    stage.run_ms(10)
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 2


@pytest.mark.parametrize("fault", ["append", "flush"])
def test_a_disk_that_fails_to_write_halts_its_broker_and_recovery_keeps_whole_messages(
    stage: Stage, fault: str
) -> None:
    stage.with_topic(1)
    end = stage.partition()["next_offset"]
    stage.do("set_disk", broker=1, fails=fault)
    assert stage.cluster.snapshot()["brokers"]["1"]["disk"] == {"delay_us": 0, "full": False, "fails": fault}
    stage.do("produce", count=4, size=30)
    stage.run_ms(100)
    assert [event["broker"] for event in stage.events("broker_crashed")] == [1]
    stage.do("set_disk", broker=1)
    stage.do("start_broker", broker=1)
    stage.run_ms(500)
    assert stage.partition()["next_offset"] == end
    causes = [cut["cause"] for cut in stage.events("log_cut")]
    assert causes == {"append": ["recovery"], "flush": ["crash"]}[fault]
    assert stage.cluster.check() == []
    stage.do("produce", count=1)
    stage.run_ms(10)
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 2


def test_a_broker_that_cannot_flush_when_it_stops_ends_as_in_a_crash(make_stage: MakeStage) -> None:
    stage = make_stage(replace(TINY, flush_messages=1_000, flush_check_interval_us=1_000_000)).with_topic(1)
    stage.do("produce", count=1)
    stage.run_ms(5)
    stage.do("set_disk", broker=1, fails="flush")
    stage.do("stop_broker", broker=1)
    assert [event["broker"] for event in stage.events("broker_crashed")] == [1]
    assert stage.events("broker_stopped") == []
    assert [cut["cause"] for cut in stage.events("log_cut")] == ["crash"]


def test_a_segment_that_cannot_be_read_fails_the_fetch_and_resets_no_offset(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    end = stage.position()["committed_offset"]
    stage.do("set_disk", broker=1, fails="read")
    stage.do("produce", count=2)
    stage.run_ms(100)
    answered = [one for one in stage.events("fetch_answered") if one["error"]]
    assert {(one["error"], one["bytes"]) for one in answered} == {("unknown_server_fault", 0)}
    assert len(answered) > 1, "it is tried again"
    assert [one["error"] for one in stage.events("message_rejected")] == ["unknown_server_fault"]
    assert stage.position()["error"] == "unknown_server_fault"
    assert stage.cluster.state.brokers[1].alive
    assert stage.position()["committed_offset"] == end
    stage.do("set_disk", broker=1)
    stage.run_ms(200)
    assert stage.position()["lag_messages"] == 0
    assert stage.position()["error"] == ""
    assert stage.events("offset_reset") == []


def test_a_broker_whose_disk_cannot_be_read_does_not_start_until_it_is_repaired(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("crash_broker", broker=1)
    stage.do("set_disk", broker=1, fails="read")
    with pytest.raises(WrongState, match="cannot be read"):
        stage.do("start_broker", broker=1)
    stage.do("set_disk", broker=1)
    stage.do("start_broker", broker=1)


def test_a_disk_fault_of_an_unknown_kind_is_refused(stage: Stage) -> None:
    with pytest.raises(InvalidCommand, match="fails cannot be 'sometimes'"):
        stage.do("set_disk", broker=1, fails="sometimes")


def test_positions_that_move_before_the_work_lose_messages_in_a_crash(make_stage: MakeStage) -> None:
    config = with_consumer(TINY, messages_per_second=10, position_moves="before", commit_interval_ms=10)
    stage = make_stage(replace(config, flush_messages=1)).with_topic(1)
    stage.do("add_group", group=GROUP)
    stage.do("add_consumer", group=GROUP, consumer="A")
    stage.run_ms(60)
    assert stage.events("messages_taken")
    assert consumed(stage) == 0
    assert stage.position()["committed_offset"] == stage.partition()["next_offset"]
    stage.do("crash_consumer", consumer="A")
    stage.do("add_consumer", group=GROUP, consumer="B")
    stage.run_ms(500)
    assert consumed(stage, "A") + consumed(stage, "B") == 0  # delivered once, never worked on


def test_two_partitions_are_consumed_by_a_stream_each(stage: Stage) -> None:
    stage.with_topic(2)
    stage.do("add_group", group=GROUP)
    stage.do("add_consumer", group=GROUP, consumer="A", streams=3)
    stage.run_ms(300)
    owners = {
        path: value for path, (value, _) in stage.cluster.snapshot()["registry"].items() if "/owners/clicks/" in path
    }
    assert sorted(owners.values()) == ["A-0", "A-1"]
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"]}
    assert consumed(stage) == 2
    stage.do("stop_consumer", consumer="A")
    stage.run_ms(20)
    assert stage.owners() == {"A": []}


def test_a_bounded_queue_limits_how_far_fetches_run_ahead(make_stage: MakeStage) -> None:
    config = with_consumer(TINY, messages_per_second=1, queued_chunks=3, fetch_bytes=26)
    stage = make_stage(replace(config, flush_messages=1), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "test"}] * 20)
    stage.run_ms(5)
    stage.do("add_group", group=GROUP)
    stage.do("add_consumer", group=GROUP, consumer="A")
    stage.run_ms(500)
    assert stage.position()["fetch_offset"] == 3 * 26
    stage.run_ms(2_000)
    assert stage.position()["fetch_offset"] == 4 * 26


@pytest.mark.parametrize(("policy", "expected"), [("smallest", 1), ("largest", 0)])
def test_a_group_without_a_committed_offset_starts_where_its_reset_policy_says(
    make_stage: MakeStage, policy: str, expected: int
) -> None:
    stage = make_stage(with_consumer(TINY, offset_reset=policy)).with_topic(1).with_group("A")
    assert consumed(stage) == expected
    stage.do("produce", count=1, size=50)
    stage.run_ms(200)
    assert consumed(stage) == expected + 1


def test_a_group_that_may_not_reset_its_offset_stops_with_an_error(make_stage: MakeStage) -> None:
    stage = make_stage(with_consumer(TINY, offset_reset="fail")).with_topic(1).with_group("A")
    (rejected,) = stage.events("message_rejected")
    assert rejected["error"] == "offset_out_of_range"
    stage.do("seek", group=GROUP, partition=0, offset="earliest")
    stage.run_ms(200)
    assert consumed(stage) == 1


def test_faults_on_unknown_or_unsuitable_targets_are_refused(stage: Stage) -> None:
    stage.with_topic(1)
    with pytest.raises(UnknownName, match="broker:9"):
        stage.do("set_link", **{"from": "producer", "to": "broker:9"}, cut=True)
    with pytest.raises(InvalidCommand):
        stage.do("set_link", **{"from": "producer", "to": "producer"}, cut=True)
    with pytest.raises(InvalidCommand, match="cut"):
        stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut="perhaps")
    stage.do("stop_broker", broker=1)
    stage.run_ms(20)
    with pytest.raises(WrongState):
        stage.do("expire_session", client="broker:1")


def ends(stage: Stage, kind: str, number: str) -> list[list[str]]:
    """Return the reported reasons of each failed item."""
    by_number: dict[int, list[str]] = {}
    for event in stage.events(kind):
        by_number.setdefault(event[number], []).append(event["reason"])
    return list(by_number.values())


def test_a_seek_ends_the_fetch_under_way_once(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "broker:1"}, delay_ms=15)
    for _ in range(5):
        stage.do("seek", group=GROUP, partition=0, offset="earliest")
        stage.run_ms(13)
    stage.do("heal_links")
    stage.run_ms(200)
    assert ["stopped"] in ends(stage, "fetch_failed", "fetch")
    assert all(reasons in (["stopped"], ["timeout", "stopped"]) for reasons in ends(stage, "fetch_failed", "fetch"))


def test_a_fetch_that_the_wire_loses_times_out_once(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "broker:1"}, cut=True)
    stage.run_ms(300)
    assert stage.events("message_dropped")
    assert {tuple(reasons) for reasons in ends(stage, "fetch_failed", "fetch")} == {("timeout",)}


def test_a_watch_notice_that_the_wire_loses_is_delivered_once_when_it_is_sent_again(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("set_link", **{"from": f"consumer:{GROUP}/A", "to": "registry"}, cut=True)
    stage.do("add_consumer", group=GROUP, consumer="B")
    while not any(event["flight"].startswith("watch:") for event in stage.events("message_dropped")):
        stage.run_ms(0.5)
    stage.do("heal_links")
    stage.run_ms(200)
    (dropped,) = [event for event in stage.events("message_dropped") if event["flight"].startswith("watch:")]
    delivered = [event["watch"] for event in stage.events("watch_delivered")]
    assert delivered.count(int(dropped["flight"].partition(":")[2])) == 1


def test_a_set_that_waits_for_its_disk_and_its_acknowledgement_is_lost_once(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("set_producer", topic="clicks", acknowledgement="broker", retries=0)
    stage.do("set_disk", broker=1, delay_ms=400)
    stage.do("produce", count=2)
    stage.run_ms(5)
    stage.do("crash_broker", broker=1)
    stage.run_ms(500)
    assert ends(stage, "batch_lost", "batch") == [["not_acknowledged"]]
    assert [event["cause"] for event in stage.events("message_dropped")] == ["broker_down"]
    assert stage.cluster.snapshot()["flights"] == {}


def test_a_frozen_process_learns_that_its_broker_is_gone_when_it_resumes(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("crash_broker", broker=1)
    while not any(name.startswith("fetch:") for name in stage.cluster.snapshot()["flights"]):
        stage.run_ms(0.1)
    before = len(stage.events("fetch_failed"))
    stage.do("freeze_consumer", consumer="A", duration_ms=10)
    stage.run_ms(9)
    assert len(stage.events("fetch_failed")) == before
    stage.run_ms(2)
    assert stage.events("fetch_failed")[before]["at_us"] == stage.consumer("A").frozen_until_us


def test_a_consumer_that_loses_its_session_as_a_rebalance_ends_waits_for_the_next_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something changed during that rebalance, so the next one was about to begin in the same instant."""
    stage.with_topic(2).with_group("A")
    consumer, scheduler = stage.consumer("A"), stage.cluster.state.scheduler
    honest = ConsumerState.end

    def end(standing: ConsumerState, state: str) -> None:
        honest(standing, state)
        if state == "running":
            monkeypatch.setattr(ConsumerState, "end", honest)
            gone = SessionGone(consumer._registry.session, expired=True)
            scheduler.post(scheduler.now_us, lambda message: consumer.receive("registry", message), gone, -1)

    monkeypatch.setattr(ConsumerState, "end", end)
    consumer._group_member.changed("/brokers/topics/clicks")
    stage.run_ms(0.5)
    consumer._group_member.changed("/brokers/topics/clicks")
    stage.run_ms(500)
    happened = [
        event["event"]
        for event in stage.events("consumer_expired", "session_opened", "rebalance_started")
        if event.get("consumer", "A") == "A"
    ]
    assert happened[-3:] == ["consumer_expired", "session_opened", "rebalance_started"]
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"]}
