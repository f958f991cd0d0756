"""Whole clusters under random faults: two hundred seeds, and the report of a failing one."""

from pathlib import Path
from random import Random

import pytest

from engine.simulation import __main__ as command_line
from engine.simulation.__main__ import SeedResult, check_seed, main, report
from engine.simulation.operations import OPERATIONS
from engine.simulation.recovery import recover
from engine.simulation.run import Run, simulate
from engine.simulation.shape import draw_shape
from engine.storage.log import Log

SEEDS_A_TEST = 25


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 201, SEEDS_A_TEST))
def test_seeds_of_random_faults_show_no_anomaly(first: int) -> None:
    failing = [result for result in map(check_seed, range(first, first + SEEDS_A_TEST)) if result.anomalies]
    assert not failing, "\n".join(report(result) for result in failing)


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    one, other = (simulate(7, tmp_path / name) for name in ("one", "other"))
    assert one == other
    assert len(one.events) > 500


def test_two_seeds_give_two_clusters(tmp_path: Path) -> None:
    one, other = (simulate(seed, tmp_path / str(seed)) for seed in (1, 2))
    assert one.state["brokers"].keys() != other.state["brokers"].keys()
    assert one.operations != other.operations


def test_recovery_gives_no_command_to_a_consumer_or_a_group(tmp_path: Path) -> None:
    given: set[str] = set()
    for seed in range(1, 13):
        run = Run(seed, tmp_path / str(seed))
        run.build()
        run.run_schedule()
        scheduled = len(run.operations)
        recover(run)
        given |= {operation.fields["command"] for operation in run.operations[scheduled:]}
        run.close()
    assert {"start_broker", "produce"} <= given
    assert given <= {"heal_links", "set_producer", "set_disk", "start_broker", "start_loader", "produce"}


def test_every_kind_of_operation_is_done_in_some_seed(tmp_path: Path) -> None:
    """Some are drawn for processes in the wrong state; only operations that were done count."""
    drawing = Run(1, tmp_path / "drawing")
    drawing.build()
    wanted = {draw(Random(number), drawing.cluster)["command"] for draw in OPERATIONS for number in range(20)}
    drawing.close()
    done: set[str] = set()
    for seed in range(1, 101):
        done |= {
            operation.fields["command"]
            for operation in simulate(seed, tmp_path / str(seed)).operations
            if not operation.refusal
        }
        if wanted <= done:
            break
    assert wanted - done == set()
    assert len(wanted) > 18


def test_some_clusters_have_the_deployment_pattern_and_all_its_operations_happen(tmp_path: Path) -> None:
    wanted = {"start_loader", "crash_loader", "set_mirror", "set_link", "expire_session"}
    done: set[str] = set()
    emitted: set[str] = set()
    rows = 0
    for seed in range(1, 61):
        if draw_shape(Random(f"simulation {seed}")).has_deployment:
            history = simulate(seed, tmp_path / str(seed))
            done |= {operation.fields["command"] for operation in history.operations if not operation.refusal}
            emitted |= {event["event"] for event in history.events}
            rows += len(history.loaded.rows)
    assert wanted - done == set()
    assert {
        "batch_mirrored",
        "acknowledgement_received",
        "load_committed",
        "audit_counted",
        "multi_fetch_failed",
    } <= emitted
    assert rows > 100


def test_the_report_of_a_failing_seed_says_how_to_replay_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = Log.read
    monkeypatch.setattr(Log, "read", lambda log, offset, most: honest(log, offset, most)[:-1] + b"!")
    assert main(["--seeds", "1", "--first", "3"]) == 1
    said = capsys.readouterr().out
    assert "make simulate FIRST=3 SEEDS=1" in said
    assert "1 of 1 seeds" in said
    assert "1 failed" in said


def test_the_report_of_many_anomalies_lists_some_and_counts_the_rest() -> None:
    said = report(SeedResult(9, 100, 10, tuple(f"anomaly {number}" for number in range(8))))
    assert said.splitlines()[0] == "seed 9 fails, replay with: make simulate FIRST=9 SEEDS=1"
    assert said.splitlines()[-1] == "... and 3 more"


def test_an_error_that_escapes_is_a_failure_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(seed: int, directory: Path) -> None:
        raise KeyError("commit:16")

    monkeypatch.setattr(command_line, "simulate", explode)
    result = check_seed(12)
    assert result.seed == 12
    assert "commit:16" in result.anomalies[0]


def test_seeds_spread_over_processes_give_the_same_results(capsys: pytest.CaptureFixture[str]) -> None:
    results = []
    for processes in ("1", "2"):
        exit_code = main(["--seeds", "4", "--processes", processes])
        results.append((exit_code, capsys.readouterr().out))
    assert results[0] == results[1]


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--processes", "0"], ["--seeds", "many"]])
def test_bad_arguments_exit_with_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
