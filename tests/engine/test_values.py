"""Values."""

import pytest

from engine.values import value


@value
class Place:
    """A place."""

    street: str
    number: int


def test_values_of_the_same_fields_are_the_same() -> None:
    assert Place("Main", 1) == Place("Main", 1) != Place("Main", 2)
    assert len({Place("Main", 1), Place("Main", 1), Place("Main", 2)}) == 2


def test_a_value_matches_patterns_and_holds_nothing_else() -> None:
    match Place("Main", 1):
        case Place(street, number=number):
            assert (street, number) == ("Main", 1)
    with pytest.raises(AttributeError):
        setattr(Place("Main", 1), "city", "Boston")  # noqa: B010  # a misspelt field, which no checker would let pass
