"""Value classes: equality, patterns and slots."""

import pytest

from engine.values import value


@value
class Place:
    """A place."""

    street: str
    number: int


def test_values_with_the_same_fields_are_equal() -> None:
    assert Place("Main", 1) == Place("Main", 1) != Place("Main", 2)
    assert len({Place("Main", 1), Place("Main", 1), Place("Main", 2)}) == 2


def test_a_value_matches_patterns_and_takes_no_other_attribute() -> None:
    match Place("Main", 1):
        case Place(street, number=number):
            assert (street, number) == ("Main", 1)
    with pytest.raises(AttributeError):
        setattr(Place("Main", 1), "city", "Boston")  # noqa: B010  # a misspelt field, which no checker would let pass
