"""When a journal counts as growing too fast, and when no longer."""

from webapp.room.growth import SECOND_US, Budget, Growth

BUDGET = Budget(fast_bytes_per_second=1_000, slow_bytes_per_second=200, burst_bytes=500)


class Journal:
    """A journal that grows at a steady rate and is checked 25 times a second."""

    def __init__(self) -> None:
        self.growth = Growth(BUDGET)
        self.wall_us = 5_000_000
        self.end_offset = 10.0
        self.growth.note(self.wall_us, 10)
        self.growth.calm()

    def run(self, bytes_per_second: float, seconds: float) -> bool:
        for _ in range(round(seconds * 25)):
            self.wall_us += SECOND_US // 25
            self.end_offset += bytes_per_second / 25
            self.growth.note(self.wall_us, round(self.end_offset))
        return self.growth.is_fast


def test_a_rate_within_the_budget_is_never_fast() -> None:
    assert not Journal().run(950, 60)


def test_a_rate_above_the_budget_is_fast_once_the_burst_is_used_up() -> None:
    journal = Journal()
    assert not journal.run(1_400, 1)
    assert journal.run(1_400, 1)


def test_one_burst_is_not_fast() -> None:
    journal = Journal()
    journal.end_offset += 450
    assert not journal.run(0, 1)


def test_a_rate_between_the_two_limits_changes_nothing() -> None:
    journal = Journal()
    journal.run(3_000, 1)
    assert journal.run(600, 30)
    assert not journal.run(100, 3)
    assert not journal.run(600, 30)


def test_a_paused_journal_is_calm_at_once() -> None:
    journal = Journal()
    assert journal.run(9_000, 1)
    journal.growth.calm()
    assert not journal.run(900, 10)
