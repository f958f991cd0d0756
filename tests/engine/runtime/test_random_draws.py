"""Random draws below a bound."""

from random import Random

import pytest

from engine.runtime.random_draws import draw_below, draws_below


@pytest.mark.parametrize("count", [1, 2, 3, 8, 39, 1000, 2**40])
def test_draws_are_those_of_the_standard_library(count: int) -> None:
    ours, theirs = Random(2011), Random(2011)
    draw = draws_below(ours, count)
    assert [draw() for _ in range(200)] == [theirs.randrange(count) for _ in range(200)]
    assert [draw_below(ours, count) for _ in range(200)] == [theirs.randrange(count) for _ in range(200)]
    assert ours.getstate() == theirs.getstate()
