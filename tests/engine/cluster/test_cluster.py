"""A whole cluster: determinism, steps, checkpoints and snapshots."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cluster.cluster import EVENTS_PER_CHECKPOINT
from engine.cluster.snapshot import SUMMARY_ENTRIES
from engine.commands import apply, parse_command
from engine.config import TINY
from engine.errors import OffsetscopeError
from engine.journal.journal import Journal
from engine.message.format import MAGIC_0_OVERHEAD_BYTES
from engine.scenarios import build
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage, payloads

Script = Callable[[Stage], None]


def chaos(seed: int) -> Script:
    """Run a random, seeded script of commands, some of which make no sense."""

    def run(stage: Stage) -> None:
        chance = random.Random(seed)
        stage.with_topic()
        stage.do("add_group", group=GROUP)
        for _ in range(60):
            command, fields = chance.choice(
                [
                    ("produce", {"count": chance.randrange(1, 5)}),
                    ("produce", {"key": f"user-{chance.randrange(9)}", "value": "v" * chance.randrange(60)}),
                    ("add_consumer", {"group": GROUP}),
                    ("crash_consumer", {"consumer": f"readers {chance.choice('ABC')}"}),
                    ("stop_consumer", {"consumer": f"readers {chance.choice('ABC')}"}),
                    ("pause_consumer", {"consumer": f"readers {chance.choice('ABC')}"}),
                    ("resume_consumer", {"consumer": f"readers {chance.choice('ABC')}"}),
                    ("crash_broker", {"broker": chance.randrange(1, 4)}),
                    ("stop_broker", {"broker": chance.randrange(1, 4)}),
                    ("start_broker", {"broker": chance.randrange(1, 4)}),
                    ("seek", {"group": GROUP, "partition": chance.randrange(3), "offset": "earliest"}),
                    ("set_producer", {"rate_per_second": chance.choice([0, 50])}),
                    ("set_producer", {"compression": chance.choice(["none", "gzip"])}),
                    ("commit", {"group": GROUP}),
                ]
            )
            with contextlib.suppress(OffsetscopeError):  # some of it cannot be done, which is part of the test
                stage.do(command, **fields)
            stage.run_ms(chance.uniform(0, 60))
            assert stage.cluster.check() == []

    return run


@pytest.mark.parametrize("seed", range(12))
def test_same_seed_and_commands_give_the_same_journal_byte_for_byte(make_stage: MakeStage, seed: int) -> None:
    journals = []
    for _ in range(2):
        stage = make_stage(seed=seed)
        chaos(seed)(stage)
        stage.cluster.publish()
        journals.append(payloads(stage.journal))
    assert journals[0] == journals[1]
    assert len(journals[0]) > 100


def test_another_seed_gives_another_journal(make_stage: MakeStage) -> None:
    journals = []
    for seed in (1, 2):
        stage = make_stage(seed=seed).with_topic()
        stage.do("produce", count=3)
        stage.run_ms(20)
        journals.append(stage.events("batch_appended"))
    assert journals[0] != journals[1]


def test_the_journal_does_not_depend_on_how_often_the_cluster_runs_and_publishes(make_stage: MakeStage) -> None:
    journals = []
    for slices in (1, 97):
        stage = make_stage().with_topic()
        stage.do("set_producer", rate_per_second=200)
        stage.with_group("A", "B")
        for _ in range(slices):
            stage.cluster.run_until(stage.cluster.now_us + 970_000 // slices)
            stage.cluster.publish()
        journals.append(payloads(stage.journal))
    assert journals[0] == journals[1]
    assert sum(b'{"event":"checkpoint"' in payload for payload in journals[0]) > 3


def test_commands_at_one_instant_have_the_same_effect_with_or_without_a_run_in_between(make_stage: MakeStage) -> None:
    journals = []
    for run_between in (False, True):
        stage = make_stage().with_topic()
        for _ in range(30):
            stage.do("produce", count=5)
            if run_between:
                stage.cluster.run_until(stage.cluster.now_us)
        journals.append(stage.events())
    assert journals[0] == journals[1]


def test_a_step_ends_at_the_next_instant_that_has_an_event(stage: Stage) -> None:
    stage.with_topic()
    stage.do("produce", count=1)
    before = len(stage.events())
    (sent,) = stage.events("batch_sent")[-1:]
    assert stage.cluster.step() == sent["due_us"]
    assert stage.events()[before]["event"] == "batch_appended"


def test_a_step_in_an_idle_cluster_returns(make_stage: MakeStage) -> None:
    stage = make_stage(brokers=1)
    before = stage.cluster.now_us
    stage.cluster.step()
    assert stage.cluster.now_us > before


def test_checkpoints_with_many_flights_do_not_become_most_of_the_journal(stage: Stage) -> None:
    stage.with_topic()
    for number in range(900):
        stage.do("produce", key=f"user-{number}", value="v")
    assert len(stage.events("checkpoint")[-1]["state"]["flights"]) > 100
    since_bytes = least_bytes = 0
    for payload in stage.journal.read(0, 1 << 30).payloads:
        if payload.startswith(b'{"event":"checkpoint"'):
            assert since_bytes >= least_bytes
            since_bytes, least_bytes = 0, EVENTS_PER_CHECKPOINT * len(payload)
        else:
            since_bytes += MAGIC_0_OVERHEAD_BYTES + len(payload)


def test_a_summary_is_the_state_without_flights_and_old_entries(stage: Stage) -> None:
    stage.with_topic()
    stage.do("produce", count=9)
    stage.run_ms(20)
    stage.do("produce", count=9)
    whole, summary = stage.cluster.snapshot(), stage.cluster.summary()
    assert whole["flights"]
    assert summary["flights"] == {}
    for name, log in whole["partitions"].items():
        assert summary["partitions"][name]["entries"] == log["entries"][-SUMMARY_ENTRIES:]
        assert summary["partitions"][name]["segments"] == log["segments"][-SUMMARY_ENTRIES:]
    assert any(len(log["entries"]) > SUMMARY_ENTRIES for log in whole["partitions"].values())
    for part in set(whole) - {"flights", "partitions"}:
        assert summary[part] == whole[part]


def test_periodic_checkpoints_are_spaced_by_journal_bytes(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    stage.do("set_producer", rate_per_second=100)
    stage.run_ms(2_000)
    causes = [event["cause"] for event in stage.events("checkpoint")]
    assert causes[0] == "start"
    assert set(causes[1:]) == {"periodic"}
    assert len(causes) >= stage.journal.end_offset // (TINY.checkpoint_every_bytes * 3)


def test_a_snapshot_shares_nothing_with_the_running_cluster(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    stage.do("produce", count=2)
    snapshot, text = stage.cluster.snapshot(), str(stage.cluster.snapshot())
    stage.run_ms(500)
    assert str(snapshot) == text


def test_a_snapshot_lists_the_flights_under_way(stage: Stage) -> None:
    stage.with_topic()
    stage.do("produce", count=2)
    (flight,) = stage.cluster.snapshot()["flights"].values()
    assert (flight["event"], flight["messages"]) == ("batch_sent", 2)
    stage.run_ms(20)
    assert stage.cluster.snapshot()["flights"] == {}


def test_lag_counts_every_message_after_the_committed_offset_even_in_a_long_log(stage: Stage) -> None:
    stage.with_topic(1)
    stage.do("add_group", group=GROUP)
    stage.do("seek", group=GROUP, partition=0, offset="earliest")
    for _ in range(40):
        stage.do("produce", count=5, size=30)
        stage.run_ms(10)
    assert stage.position()["lag_messages"] == 201
    stage.do("seek", group=GROUP, partition=0, offset=19 + 39 * 7)
    assert stage.position()["lag_messages"] == 193
    assert stage.position()["lag_bytes"] == 193 * 39


def test_a_scenario_that_is_reset_continues_in_the_same_journal(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    first = build("pageviews", directory=tmp_path / "cluster", seed=1, journal=journal)
    apply(first, parse_command({"command": "produce"}))
    first.run_until(5_000_000)
    first.close()
    second = build(
        "pageviews", directory=tmp_path / "cluster", seed=1, journal=journal, start_us=5_000_000, cause="reset"
    )
    assert second.now_us == 5_000_000
    assert second.facts()["topics"][0]["events_appended"] == 12
    assert second.check() == []
    second.close()
    journal.close()
