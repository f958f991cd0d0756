"""Every engine test that builds a cluster ends with its invariants checked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.config import TINY, Config
from tests.support.clusters import Stage
from tests.support.deployments import SMALL, Deployed

MakeStage = Callable[..., Stage]
Deploy = Callable[..., Deployed]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    """Build clusters; at the end of the test none may have a broken invariant."""
    made: list[Stage] = []

    def make(config: Config = TINY, *, seed: int = 1, brokers: int = 3) -> Stage:
        stage = Stage(tmp_path / f"stage-{len(made)}", config, seed, brokers)
        made.append(stage)
        return stage

    yield make
    for stage in made:
        assert stage.cluster.check() == []
        stage.cluster.close()
        stage.journal.close()


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    """Three brokers, nothing else."""
    return make_stage()


@pytest.fixture
def make_deployed(tmp_path: Path) -> Iterator[Deploy]:
    """Build deployments; at the end of the test none may have a broken invariant."""
    made: list[Deployed] = []

    def make(config: Config = SMALL, *, seed: int = 1, mirrors: tuple[str, ...] = ("A",)) -> Deployed:
        made.append(Deployed(tmp_path / f"deployed-{len(made)}", config, seed, mirrors))
        return made[-1]

    yield make
    for one in made:
        assert one.cluster.check() == []
        one.cluster.close()
        one.journal.close()


@pytest.fixture
def deployed(make_deployed: Deploy) -> Deployed:
    """The deployment of the scenario with one mirror."""
    return make_deployed()
