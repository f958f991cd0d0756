"""Payloads to entries: the fast ways say the same as the slow one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.message.encoding import ALIKE_AT_LEAST, ALIKE_AT_MOST, encode_alike, encode_entries, encode_entry


def one_by_one(payloads: Sequence[bytes]) -> bytes:
    return b"".join([encode_entry(payload) for payload in payloads])


def test_a_plain_message_has_the_bytes_that_other_clients_send() -> None:
    # case 1
    assert encode_entry(b"testing").hex() == "0000000c00e8f35a0674657374696e67"
    assert encode_entries([b"testing"] * 20).hex() == "0000000c00e8f35a0674657374696e67" * 20


@pytest.mark.parametrize("count", [0, 1, ALIKE_AT_LEAST - 1, ALIKE_AT_LEAST, 50, ALIKE_AT_MOST, ALIKE_AT_MOST + 1])
@pytest.mark.parametrize("size", [0, 1, 200, 70_000])
def test_payloads_of_one_length_are_encoded_as_any_others(count: int, size: int) -> None:
    if count * size > 1_000_000:
        count = 1_000_000 // size
    payloads = [bytes([number % 256]) * size for number in range(count)]
    assert encode_entries(payloads) == one_by_one(payloads)
    assert encode_alike(payloads) == one_by_one(payloads)


@pytest.mark.parametrize("odd_one", [0, 25, 49])
@pytest.mark.parametrize("odd_size", [0, 199, 201])
def test_one_payload_of_another_length_is_not_cut_or_filled_up(odd_one: int, odd_size: int) -> None:
    payloads = [b"x" * 200] * 50
    payloads[odd_one] = b"y" * odd_size
    assert encode_entries(payloads) == one_by_one(payloads)


@given(st.lists(st.binary(max_size=3), max_size=40), st.integers(0, 30))
def test_any_payloads_are_encoded_as_one_by_one(payloads: list[bytes], copies: int) -> None:
    several = payloads + payloads[:1] * copies
    assert encode_entries(several) == one_by_one(several)
    assert encode_entries(tuple(several)) == one_by_one(several)
