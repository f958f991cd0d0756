"""Algorithm 1, as consumers join, leave, crash and conflict."""

from dataclasses import replace
from itertools import pairwise

import pytest

from engine.config import TINY
from engine.errors import UnknownConsumer
from engine.ids import ConsumerId
from engine.registry import operations as ops
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage, with_consumer


def steps(stage: Stage, consumer: str) -> list[str]:
    wanted = ("rebalance_", "ownership_", "registry_read", "assignment_", "claim_", "fetching_started")
    return [
        event["event"]
        for event in stage.events()
        if event.get("consumer") == consumer and event["event"].startswith(wanted)
    ]


def test_a_lone_consumer_owns_everything(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    assert stage.owners() == {"A": ["clicks-0", "clicks-1", "clicks-2"]}


def test_a_rebalance_releases_reads_computes_claims_and_only_then_fetches(stage: Stage) -> None:
    stage.with_topic(1).with_group("A")
    assert steps(stage, "A") == [
        "rebalance_started",
        "ownership_released",
        "registry_read",
        "assignment_computed",
        "fetching_started",
        "rebalance_finished",
    ]
    order = [
        event["event"]
        for event in stage.events()
        if "owners/clicks" in str(event.get("path")) or event["event"] == "fetching_started"
    ]
    assert order.index("fetching_started") > order.index("node_created")


def test_a_second_and_a_third_consumer_take_their_shares_and_a_fourth_idles(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    for name, expected in [
        ("B", {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}),
        ("C", {"A": ["clicks-0"], "B": ["clicks-1"], "C": ["clicks-2"]}),
        ("D", {"A": ["clicks-0"], "B": ["clicks-1"], "C": ["clicks-2"], "D": []}),
    ]:
        stage.do("add_consumer", group=GROUP, consumer=name)
        stage.run_ms(300)
        assert stage.owners() == expected
    assert stage.consumer("D").state.name == "idle"


def test_a_crash_is_noticed_only_when_the_session_runs_out(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B", "C")
    stage.do("crash_consumer", consumer="B")
    (crashed,) = stage.events("consumer_crashed")
    assert crashed["at_us"] < crashed["session_expires_at_us"] <= crashed["at_us"] + TINY.session_timeout_us + 1_000
    stage.cluster.run_until(crashed["session_expires_at_us"] - 1)
    assert stage.owners()["B"] == ["clicks-1"]
    assert stage.consumer("B").state.name == "crashed"
    stage.run_ms(300)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": [], "C": ["clicks-2"]}
    assert stage.consumer("B").state.name == "gone"
    (expired,) = [event for event in stage.events("session_expired") if event["client"].endswith("/B")]
    assert expired["at_us"] == crashed["session_expires_at_us"]


def test_a_clean_stop_moves_the_partitions_without_waiting_for_a_timeout(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("stop_consumer", consumer="B")
    stage.run_ms(20)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1", "clicks-2"], "B": []}
    assert stage.consumer("B").state.name == "closed"


def test_a_consumer_that_starts_again_under_its_name_is_a_member_again(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("crash_consumer", consumer="B")
    stage.do("add_consumer", group=GROUP, consumer="B")  # before its old session has expired
    stage.run_ms(500)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}


def test_a_partition_is_never_fetched_by_two_in_whatever_order_consumers_join_and_leave(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    for name in ("B", "C", "D"):
        stage.do("add_consumer", group=GROUP, consumer=name)
    stage.do("crash_consumer", consumer="A")
    for _ in range(400):
        stage.run_ms(1)
        assert stage.cluster.check() == []
    assert sorted(part for owns in stage.owners().values() for part in owns) == ["clicks-0", "clicks-1", "clicks-2"]


def test_a_refused_claim_releases_the_others_backs_off_and_fails_after_the_last_attempt(make_stage: MakeStage) -> None:
    stage = make_stage(replace(TINY, rebalance_backoff_us=2_000_000)).with_topic()
    stranger = ops.Create(f"/consumers/{GROUP}/owners/clicks/2-1", "stranger-0", ephemeral=False)
    stage.do("add_group", group=GROUP)
    hold(stage, stranger)
    stage.do("add_consumer", group=GROUP, consumer="A")
    stage.run_ms(10_000)
    started = stage.events("rebalance_started")
    assert [event["attempt"] for event in started] == [1, 2, 3, 4]  # case 51
    gaps = [later["at_us"] - earlier["at_us"] for earlier, later in pairwise(started)]
    assert all(2_000_000 < gap < 2_010_000 for gap in gaps)
    assert {event["held_by"] for event in stage.events("claim_refused")} == {"stranger"}
    assert len(stage.events("rebalance_failed")) == 1
    assert stage.owners() == {"A": []}
    assert stage.consumer("A").state.name == "failed"
    owned = [path for path in stage.cluster.snapshot()["registry"] if "/owners/clicks/" in path]
    assert owned == [stranger.path]
    registry = stage.cluster.state.registry
    registry.tree.delete(stranger.path)
    stage.do("add_consumer", group=GROUP, consumer="B")  # any change of the registry starts another rebalance
    stage.run_ms(5_000)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}


def hold(stage: Stage, claim: ops.Create) -> None:
    """Let a client that is not a member own a partition."""
    stage.cluster.state.registry.put_by_operator(claim.path, claim.value)


def test_partitions_leave_and_rejoin_the_assignment_with_their_broker(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("crash_broker", broker=1)
    stage.run_ms(400)
    assert stage.owners() == {"A": ["clicks-1"], "B": ["clicks-2"]}
    stage.do("start_broker", broker=1)
    stage.run_ms(400)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}


def test_an_orderly_rebalance_commits_first_so_that_nothing_is_delivered_twice(stage: Stage) -> None:
    stage.with_topic(2).with_group("A")
    stage.do("set_consumer", consumer="A", commit_interval_ms=600_000, fetch_bytes=1000)
    for _ in range(20):
        stage.do("produce", count=2)
        stage.run_ms(5)
    stage.run_ms(300)
    stage.do("add_consumer", group=GROUP, consumer="B")
    stage.run_ms(500)
    consumed = sum(event["messages"] for event in stage.events("messages_consumed"))
    assert consumed == stage.cluster.facts()["topics"][0]["events_appended"]


def test_one_member_s_crash_does_not_disturb_another_group(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("add_group", group="others")
    stage.do("add_consumer", group="others", consumer="X")
    stage.run_ms(300)
    before = len(steps(stage, "X"))
    stage.do("crash_consumer", consumer="B")
    stage.run_ms(500)
    assert len(steps(stage, "X")) == before


def test_a_running_consumer_whose_session_expires_stops_and_rejoins(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    registry = stage.cluster.state.registry
    client = stage.consumer("B")._registry
    registry._end(client.session, "session_expired")  # as if its heartbeats had been lost
    stage.run_ms(100)
    stage.run_ms(500)
    assert stage.owners() == {"A": ["clicks-0", "clicks-1"], "B": ["clicks-2"]}
    assert stage.consumer("B").state.name == "running"


def test_the_error_for_an_unknown_consumer_lists_the_known_ones(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    with pytest.raises(UnknownConsumer) as fault:
        stage.cluster.state.consumer(ConsumerId(GROUP, "Z"))
    assert fault.value.remedy == "known consumers: A, B"


@pytest.mark.parametrize("moment", range(12))
def test_a_seek_at_any_moment_of_a_rebalance_takes_effect(make_stage: MakeStage, moment: int) -> None:
    stage = make_stage(with_consumer(TINY, commit_interval_ms=0)).with_topic(2).with_group("A")
    assert stage.position(1)["fetch_offset"] == 19
    stage.do("add_consumer", group=GROUP, consumer="B")
    for _ in range(moment):
        stage.cluster.step()
    stage.do("seek", group=GROUP, partition=1, offset="earliest")
    delivered = sum(event["messages"] for event in stage.events("messages_consumed") if event["partition"] == 1)
    stage.run_ms(500)
    again = sum(event["messages"] for event in stage.events("messages_consumed") if event["partition"] == 1)
    assert stage.owners() == {"A": ["clicks-0"], "B": ["clicks-1"]}
    assert again == delivered + 1
