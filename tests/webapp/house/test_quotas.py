"""Limits on what one client, and all clients together, may take."""

import pytest

from tests.webapp.support import HandClock
from webapp.errors import ForkGivenUp, ProduceTooLarge, RoomsTooFast, TooManyForks, TooManyViewers, TooMuchPending
from webapp.house.forks import ForkUnderWay
from webapp.house.quotas import ForkTurns, RoomsPerMinute, ViewerSeats, client_of, require_fair_produce, require_memory
from webapp.room.commands import parse


def test_rooms_over_the_limit_of_an_address_in_a_minute_are_refused() -> None:
    clock = HandClock()
    limit = RoomsPerMinute(2, wall_us=clock)
    limit.count("a")
    clock.pass_ms(30_000)
    limit.count("a")
    limit.count("b")
    with pytest.raises(RoomsTooFast) as refused:
        limit.count("a")
    assert refused.value.fields["retry_after_s"] == 31


def test_the_minute_of_the_limit_is_a_sliding_window() -> None:
    clock = HandClock()
    limit = RoomsPerMinute(1, wall_us=clock)
    limit.count("a")
    clock.pass_ms(60_000)
    limit.count("a")
    with pytest.raises(RoomsTooFast):
        limit.count("a")


def test_a_fork_that_waits_too_long_for_its_turn_is_refused() -> None:
    turns, wanted = ForkTurns(2, timeout_s=0), ForkUnderWay(journal_bytes_in_all=1, at_us=1).require_wanted
    with turns.one(wanted), turns.one(wanted), pytest.raises(TooManyForks), turns.one(wanted):
        pytest.fail("there are two turns")
    with turns.one(wanted):
        pass


def test_a_cancelled_fork_stops_waiting_for_its_turn() -> None:
    turns, fork = ForkTurns(1, timeout_s=10), ForkUnderWay(journal_bytes_in_all=1, at_us=1)

    def give_up_at_the_second_look() -> None:
        fork.require_wanted()
        fork.give_up()

    with turns.one(fork.require_wanted), pytest.raises(ForkGivenUp), turns.one(give_up_at_the_second_look):
        pytest.fail("the fork was cancelled")


def test_seats_over_the_limit_of_a_room_are_refused() -> None:
    seats = ViewerSeats(in_all=10, per_room=2, per_client=9)
    seats.take("a", "here")
    seats.take("a", "here")
    with pytest.raises(TooManyViewers):
        seats.take("a", "here")
    seats.take("b", "here")


def test_seats_over_the_limit_of_the_server_are_refused() -> None:
    seats = ViewerSeats(in_all=2, per_room=2, per_client=9)
    seats.take("a", "here")
    seats.take("b", "here")
    with pytest.raises(TooManyViewers):
        seats.take("c", "here")


def test_a_released_seat_can_be_taken_again() -> None:
    seats = ViewerSeats(in_all=1, per_room=1, per_client=9)
    seats.take("a", "here")
    seats.give_back("a", "here")
    seats.take("b", "here")
    assert (seats.taken("a"), seats.taken("b"), seats.taken_in_all()) == (0, 1, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 11},
        {"count": 2, "size": 51},
        {"records": [{"value": "x"}] * 11},
        {"records": [{"key": "k" * 50, "value": "v" * 51}]},
    ],
)
def test_a_produce_command_over_the_limits_is_refused(fields: dict[str, object]) -> None:
    command = parse({"command": "produce", **fields})
    with pytest.raises(ProduceTooLarge):
        require_fair_produce(command, records_at_most=10, bytes_at_most=100)  # type: ignore[arg-type]


def test_a_produce_command_within_the_limits_is_accepted() -> None:
    command = parse({"command": "produce", "records": [{"key": "k" * 50, "value": "v" * 50}]})
    require_fair_produce(command, records_at_most=1, bytes_at_most=100)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, client: str) -> None:
    assert client_of(address) == client


def test_the_memory_of_all_rooms_together_is_limited() -> None:
    require_memory(100, bytes_at_most=100)
    with pytest.raises(TooMuchPending):
        require_memory(101, bytes_at_most=100)


def test_seats_over_the_limit_of_a_client_are_refused() -> None:
    seats = ViewerSeats(in_all=10, per_room=10, per_client=2)
    seats.take("a", "here")
    seats.take("b", "here")
    with pytest.raises(TooManyViewers, match="2 from your address"):
        seats.take("c", "here")
    seats.take("c", "elsewhere")
    seats.give_back("a", "here")
    seats.take("c", "here")
