"""The deployment pattern as a whole: what was lost, what came twice, and how long it took, as numbers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.config import PAPER
from engine.ids import ConsumerId
from engine.journal.journal import Journal
from engine.producer.stamps import find_stamp
from engine.scenarios import MIRROR, build, deploy
from tests.engine.conftest import Deploy
from tests.support.clusters import payloads
from tests.support.deployments import SMALL, Deployed, with_deployment

TIERS = ("live", "analysis", "warehouse")


# --- the audit ---


def test_when_nothing_fails_every_tier_receives_what_was_produced_in_every_window(deployed: Deployed) -> None:
    deployed.send_steadily(400)
    deployed.run_ms(500)
    sent = deployed.originals().total()
    for tier in TIERS:
        assert deployed.totals(tier) == (sent, sent, 0, 0)
        assert len(deployed.audit(tier)) >= 5


def test_windows_follow_the_stamps_of_the_messages(deployed: Deployed) -> None:
    deployed.send_steadily(300)
    deployed.run_ms(500)
    window_us = deployed.cluster.state.config.deployment.audit_window_us
    made: dict[int, int] = {}
    for payload in deployed.originals():
        start_us = find_stamp(payload).at_us // window_us * window_us
        made[start_us] = made.get(start_us, 0) + 1
    for tier in TIERS:
        assert {one["window_start_us"]: one["received"] for one in deployed.audit(tier)} == made


def test_messages_lost_before_the_live_brokers_are_missing_in_every_tier(deployed: Deployed) -> None:
    """Case 57, in a cluster: the messages lost are those produced and not received."""
    deployed.do("set_link", **{"from": "producer", "to": "broker:2"}, cut=True)
    deployed.send_steadily(60)
    deployed.do("heal_links")
    deployed.send_steadily(60)
    deployed.run_ms(500)
    lost = sum(event["messages"] for event in deployed.events("batch_lost"))
    assert lost > 3
    for tier in TIERS:
        produced, received, missing, twice = deployed.totals(tier)
        assert (produced - received, missing, twice) == (lost, lost, 0)


def test_duplicates_of_a_mirror_show_in_the_tiers_behind_it_and_not_before(deployed: Deployed) -> None:
    """Case 57: duplicates show as more than was produced."""
    deployed.do("set_consumer", group=MIRROR, consumer="A", commit_interval_ms=1_000)
    deployed.run_ms(20)
    deployed.send_steadily(60)
    deployed.run_ms(30)
    deployed.do("crash_consumer", group=MIRROR, consumer="A")
    deployed.do("add_consumer", group=MIRROR, consumer="A")
    deployed.run_ms(1_000)
    twice = (deployed.copies() - deployed.originals()).total()
    assert twice > 0
    sent = deployed.originals().total()
    assert deployed.totals("live") == (sent, sent, 0, 0)
    assert deployed.totals("analysis") == (sent, sent + twice, 0, twice)
    assert deployed.totals("warehouse") == (sent, sent + twice, 0, twice)


def test_messages_lost_in_the_crash_of_an_analysis_broker_are_missing_in_the_warehouse(make_deployed: Deploy) -> None:
    deployed = make_deployed(replace(SMALL, flush_messages=1_000, flush_interval_us=80_000))
    deployed.send_steadily(100)
    deployed.do("crash_broker", broker=12)
    deployed.run_ms(200)
    deployed.do("start_broker", broker=12)
    deployed.run_ms(1_000)
    lost = (deployed.originals() - deployed.copies()).total()
    assert lost > 0
    sent = deployed.originals().total()
    assert deployed.totals("live") == (sent, sent, 0, 0)
    assert deployed.totals("warehouse") == (sent, sent - lost, lost, 0)


def test_a_window_whose_monitoring_event_is_lost_is_not_compared(deployed: Deployed) -> None:
    deployed.run_ms(300)
    before = len(deployed.audit("live"))
    deployed.send(6)
    deployed.run_ms(20)
    deployed.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    deployed.run_ms(150)
    deployed.do("heal_links")
    deployed.run_ms(300)
    assert [event["topic"] for event in deployed.events("batch_lost")] == ["audit"]
    assert len(deployed.audit("live")) == before
    assert deployed.table() == deployed.originals()


def test_messages_that_a_full_queue_refuses_count_as_produced_and_lost(deployed: Deployed) -> None:
    deployed.do(
        "set_producer", topic="pageviews", queue_messages=1, batch_messages=50, linger_ms=30, rate_per_second=200
    )
    deployed.run_ms(300)
    deployed.do("set_producer", topic="pageviews", rate_per_second=0, queue_messages=100)
    deployed.run_ms(500)
    dropped = max(event["dropped"] for event in deployed.events("producer_queue_changed"))
    assert dropped > 0
    assert deployed.totals("live")[2] == dropped


def test_the_journal_and_the_facts_report_the_same_counts(deployed: Deployed) -> None:
    deployed.send_steadily(200)
    deployed.run_ms(500)
    newest = {}
    for event in deployed.events("audit_counted"):
        newest[event["tier"], event["topic"], event["window_start_us"]] = event["produced"], event["received"]
    facts = deployed.cluster.facts()["deployment"]["audit"]
    assert newest == {
        (one["tier"], one["topic"], one["window_start_us"]): (one["produced"], one["received"]) for one in facts
    }


def test_an_auditor_that_was_cut_off_counts_everything_when_the_link_is_back(deployed: Deployed) -> None:
    deployed.do("set_link", **{"from": "auditor:analysis", "to": "broker:12"}, cut=True)
    deployed.send_steadily(150)
    deployed.do("heal_links")
    deployed.run_ms(800)
    sent = deployed.originals().total()
    assert deployed.totals("analysis") == (sent, sent, 0, 0)


# --- latency ---


def paper_pipeline(directory: Path, rate_per_second: float, **changes: int) -> tuple[Cluster, Journal]:
    """Run the PAPER preset, with the changes that are named, under a steady load for three windows of a minute."""
    config = with_deployment(PAPER, audit_window_us=60_000_000, audit_delay_us=20_000_000, **changes)
    journal = Journal.open(directory / "journal")
    cluster = Cluster(
        scenario="test", directory=directory / "cluster", config=config, seed=1, journal=journal, start_us=0
    )
    deploy(cluster)
    cluster.run_until(10_000_000)
    for topic, count in (("pageviews", 3), ("audit", 1)):
        for _ in range(count):
            cluster.state.producer.send(topic, cluster.state.producer.make(1))
    cluster.run_until(20_000_000)
    cluster.add_consumer(ConsumerId(MIRROR, "Mirror A"), config.consumer)
    cluster.run_until(60_000_000)
    apply(cluster, parse_command({"command": "set_producer", "topic": "pageviews", "rate_per_second": rate_per_second}))
    cluster.run_until(240_000_000)
    return cluster, journal


def average_seconds(cluster: Cluster) -> float:
    """Return the average latency of a whole window under load."""
    (whole,) = [one for one in cluster.facts()["deployment"]["latency"] if one["window_start_us"] == 120_000_000]
    return float(whole["average_us"]) / 1e6


def test_with_the_papers_settings_a_message_takes_about_ten_seconds_from_end_to_end(tmp_path: Path) -> None:
    cluster, journal = paper_pipeline(tmp_path, rate_per_second=50)
    assert 8 < average_seconds(cluster) < 12
    (whole,) = [one for one in cluster.facts()["deployment"]["latency"] if one["window_start_us"] == 120_000_000]
    loader = cluster.state.deployment.loaders["Loader"]
    rows = loader._warehouse._connection.execute(
        "SELECT loaded_at_us - made_at_us FROM messages WHERE made_at_us >= 120000000 AND made_at_us < 180000000"
    ).fetchall()
    taken = sorted(one for (one,) in rows)
    assert whole["messages"] == len(taken) == 3_000
    assert whole["average_us"] == round(mean(taken))
    assert whole["percentile_95_us"] == taken[int(0.95 * len(taken)) - 1]
    assert {one["lost"] + one["duplicated"] for one in cluster.facts()["deployment"]["audit"]} == {0}
    cluster.close()
    journal.close()


def test_the_ten_seconds_come_from_the_settings_and_change_with_them(tmp_path: Path) -> None:
    averages = []
    for number, changes in enumerate(({}, {"loader_interval_us": 14_000_000}, {"mirror_linger_us": 4_000_000})):
        cluster, journal = paper_pipeline(tmp_path / str(number), 10, **changes)
        averages.append(average_seconds(cluster))
        cluster.close()
        journal.close()
    usual, rare_loads, long_linger = averages
    assert rare_loads - usual > 3
    assert long_linger - usual > 1


# --- the scenario, and the room without it ---


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[tuple[Cluster, Journal]]:
    journal = Journal.open(tmp_path / "journal")
    cluster = build("deployment", directory=tmp_path / "cluster", seed=1, journal=journal)
    yield cluster, journal
    assert cluster.check() == []
    cluster.close()
    journal.close()


def test_the_scenario_begins_with_messages_in_every_tier_and_a_window_that_was_audited(
    scenario: tuple[Cluster, Journal],
) -> None:
    facts = scenario[0].facts()
    assert {topic["topic"]: topic["events_appended"] > 0 for topic in facts["topics"]} == dict.fromkeys(
        ("pageviews", "audit", "live.pageviews", "live.audit"), True
    )
    assert [broker["broker"] for broker in facts["brokers"]] == [1, 2, 3, 11, 12, 13]
    deployment = facts["deployment"]
    assert deployment["loaders"][0]["rows"] >= 12
    assert {one["tier"]: (one["produced"], one["received"]) for one in deployment["audit"]} == dict.fromkeys(
        TIERS, (12, 12)
    )


def test_the_scenario_runs_for_minutes_without_a_loss_and_its_latency_is_measured(
    scenario: tuple[Cluster, Journal],
) -> None:
    cluster = scenario[0]
    for second in range(30, 241, 30):
        cluster.run_until(second * 1_000_000)
        assert cluster.check() == []
    deployment = cluster.facts()["deployment"]
    assert len(deployment["audit"]) >= 18
    assert {one["lost"] + one["duplicated"] for one in deployment["audit"]} == {0}
    assert all(10_000_000 < one["average_us"] < 25_000_000 for one in deployment["latency"])


def test_monitoring_events_travel_as_messages_of_a_topic_of_their_own(scenario: tuple[Cluster, Journal]) -> None:
    cluster = scenario[0]
    cluster.run_until(100_000_000)
    data = cluster.read_log("live.audit", 0, 0, 10_000)
    fields = json.loads(data[9 : int.from_bytes(data[:4], "big") + 4])
    assert (fields["topic"], fields["host"], fields["count"]) == ("pageviews", "frontend-1", 12)


@pytest.mark.parametrize("seed", [1, 2])
def test_same_seed_and_commands_give_the_same_journal_with_a_deployment_too(tmp_path: Path, seed: int) -> None:
    journals = []
    for number in range(2):
        journal = Journal.open(tmp_path / f"journal-{number}")
        cluster = build("deployment", directory=tmp_path / f"cluster-{number}", seed=seed, journal=journal)
        for at_us, command in (
            (5_000_000, {"command": "crash_loader"}),
            (9_000_000, {"command": "start_loader"}),
            (20_000_000, {"command": "crash_consumer", "consumer": "Mirror A"}),
            (21_000_000, {"command": "add_consumer", "group": "Mirror", "consumer": "Mirror A"}),
            (40_000_000, {"command": "crash_broker", "broker": 12}),
            (55_000_000, {"command": "start_broker", "broker": 12}),
            (60_000_000, {"command": "set_link", "from": "loader:Loader", "to": "broker:11", "loss_percent": 30}),
        ):
            cluster.run_until(at_us)
            apply(cluster, parse_command(command))
        cluster.run_until(120_000_000)
        assert cluster.check() == []
        cluster.publish()
        journals.append(payloads(journal))
        cluster.close()
        journal.close()
    assert journals[0] == journals[1]
    assert len(journals[0]) > 1_000


def test_a_reset_scenario_begins_with_an_empty_warehouse(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    rows = []
    for start_us, cause in ((0, "start"), (90_000_000, "reset")):
        cluster = build(
            "deployment", directory=tmp_path / "cluster", seed=1, journal=journal, start_us=start_us, cause=cause
        )
        rows.append(cluster.facts()["deployment"]["loaders"][0]["rows"])
        cluster.run_until(start_us + 60_000_000)
        cluster.close()
    journal.close()
    assert rows[0] == rows[1]


def test_a_cluster_without_a_deployment_has_no_trace_of_one(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    cluster = build("pageviews", directory=tmp_path / "cluster", seed=1, journal=journal)
    cluster.run_until(60_000_000)
    assert "deployment" not in cluster.snapshot()
    assert set(cluster.facts()) == {"topics", "brokers", "groups"}
    assert [child["path"] for child in cluster.registry_tree()["children"]] == ["/brokers", "/consumers"]
    assert b"server=" not in cluster.read_log("pageviews", 0, 0, 10_000)
    assert list((tmp_path / "cluster").glob("warehouse*")) == []
    cluster.close()
    journal.close()


def test_every_address_of_the_pattern_can_be_cut_off_and_its_sessions_expired(deployed: Deployed) -> None:
    for address in ("registry:analysis", f"mirror:{MIRROR}/A", "loader:Loader", "auditor:live"):
        deployed.do("set_link", **{"from": address, "to": "broker:1"}, cut=True)
    deployed.do("heal_links")
    deployed.do("expire_session", client="broker:11")
    deployed.send_steadily(100)
    deployed.run_ms(500)
    assert "/analysis/brokers/ids/11" in deployed.cluster.snapshot()["registry"]
    assert set(deployed.copies()) == set(deployed.originals())
