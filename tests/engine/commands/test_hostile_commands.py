"""Hostile commands: each is refused when parsed, refused when applied, or applied; the cluster keeps running."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cluster.cluster import Cluster
from engine.commands import COMMANDS, apply, parse_command
from engine.commands.fields import NAME_CHARACTERS
from engine.errors import InvalidCommand, OffsetscopeError
from engine.journal.journal import Journal
from engine.scenarios import build

THOUSANDS_OF_DIGITS = 10**4_200  # `int` and `str` go no further than 4,300
NESTED: list[Any] = []
for _ in range(900):
    NESTED = [NESTED]

HOSTILE_TEXTS = [
    *("\ud800", "a\udfffb", "\udc00\ud800", "a\0b", "a\nb", "\x7f", " ", "/", "..", "a/b", "é", "😀", "\u202e"),
    *("__proto__", "constructor", "ids", "pageviews-0", "consumer:", "broker:", "x" * 80, "x" * 300, "😀" * 60),
    *(
        "--5",
        "-",
        "-0",
        "+5",
        "٣",
        "²",
        "1_0",
        "0x10",
        "1e999",
        "nan",
        "inf",
        "-inf",
        "1e2",
        "0" * 30 + "7",
        "9" * 5_000,
    ),
]
HOSTILE_NUMBERS = [
    *(True, False, -1, 0, 2**31, 2**62, 2**63, 10**30, THOUSANDS_OF_DIGITS, -THOUSANDS_OF_DIGITS),
    *(0.0, -0.0, 0.5, 1.0, 1e-320, 1e308, float("nan"), float("inf"), -float("inf")),
]
HOSTILE_THINGS: list[Any] = [
    *(None, "", [], {}, [1], {"a": 1}, NESTED, {"a": NESTED}, [None], [[]], [{"value": 1}], [{"valeu": "v"}]),
    *([{"key": None, "value": "v"}], [{"key": "\ud800"}], [{"value": "\ud800"}], [{"key": NESTED}], [{"value": None}]),
]
HOSTILE = st.one_of(
    st.sampled_from(HOSTILE_TEXTS),
    st.sampled_from(HOSTILE_NUMBERS),
    st.sampled_from(HOSTILE_THINGS),
    st.text(st.characters(exclude_categories=[]), max_size=70),
    st.floats(),
    st.integers(),
)

GROUPS = ["Real-time metrics", "Warehouse loader", "new", "nobody"]
CONSUMERS = ["Metrics A", "Metrics B", "Loader A", "A", "A-0", "nobody"]
ADDRESSES = ["producer", "registry", "broker:1", "broker:2", "consumer:Real-time metrics/Metrics A", "nobody"]
WHOLE = [0, 1, 2, 3, 5, "7", 64, 100, 1_000]
TOPICS = ["", "pageviews", "t", "t-0", "nowhere"]

ORDINARY: Mapping[str, Mapping[str, list[Any]]] = {
    "produce": {
        "topic": TOPICS,
        "records": [[{"key": "k", "value": "v"}], [{"value": "é" * 50}] * 20],
        "key": ["k"],
        "value": ["v", "😀"],
        "count": WHOLE,
        "size": [1, 200, 5_000],
    },
    "set_producer": {
        "topic": TOPICS,
        "rate_per_second": [0, 0.3, 50],
        "batch_messages": WHOLE,
        "linger_ms": WHOLE,
        "queue_messages": WHOLE,
        "queue_wait_ms": WHOLE,
        "keys": WHOLE,
        "retries": WHOLE,
        "sending": ["sync", "async"],
        "queue_full": ["fail", "block", "wait"],
        "partitioner": ["round_robin", "random"],
        "compression": ["none", "gzip"],
        "acknowledgement": ["none", "broker"],
    },
    "add_topic": {"topic": TOPICS, "partitions": [1, 3, 64]},
    "corrupt": {"topic": TOPICS, "partition": WHOLE, "offset": [0, 188, 215, 430]},
    "set_link": {
        "from": ADDRESSES,
        "to": ADDRESSES,
        "cut": [True, False, "on"],
        "loss_percent": [0, 0.1, 50, 100],
        "delay_ms": [0, 5_000],
    },
    "heal_links": {},
    "set_disk": {"broker": WHOLE, "delay_ms": [0, 300], "full": [True, False]},
    "freeze_consumer": {"group": GROUPS, "consumer": CONSUMERS, "duration_ms": [1, 20_000]},
    "expire_session": {"client": ADDRESSES},
    "add_broker": {"broker": WHOLE},
    "stop_broker": {"broker": WHOLE},
    "crash_broker": {"broker": WHOLE},
    "start_broker": {"broker": WHOLE},
    "add_group": {"group": GROUPS, "topic": TOPICS},
    "add_consumer": {"group": GROUPS, "consumer": CONSUMERS, "streams": WHOLE},
    "stop_consumer": {"group": GROUPS, "consumer": CONSUMERS},
    "crash_consumer": {"group": GROUPS, "consumer": CONSUMERS},
    "remove_consumer": {"group": GROUPS, "consumer": CONSUMERS},
    "pause_consumer": {"group": GROUPS, "consumer": CONSUMERS},
    "resume_consumer": {"group": GROUPS, "consumer": CONSUMERS},
    "set_consumer": {
        "group": GROUPS,
        "consumer": CONSUMERS,
        "poll_interval_ms": WHOLE,
        "fetch_bytes": [1, 3, 300, 10_000_000],
        "queued_chunks": WHOLE,
        "commit_interval_ms": WHOLE,
        "position_moves": ["after", "before"],
        "offset_reset": ["smallest", "largest", "fail"],
        "messages_per_second": [0.05, 5, 100_000],
    },
    "seek": {
        "group": GROUPS,
        "topic": TOPICS,
        "partition": WHOLE,
        "offset": [0, 188, 215, "earliest", "latest"],
        "time_us": [0, 10**6],
        "time_s": [0, 1.5],
    },
    "commit": {"group": GROUPS, "consumer": CONSUMERS},
    "set_mirror": {"group": GROUPS, "acknowledgement": ["none", "broker"]},
    "crash_loader": {"loader": ["Loader", "nobody"]},
    "start_loader": {"loader": ["Loader", "nobody"]},
}
ALWAYS_GIVEN = {"group", "consumer", "broker", "partition", "client", "from", "to", "duration_ms", "acknowledgement"}


@st.composite
def sent_commands(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    """Draw a command with some of its fields: most are ordinary, some are not."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    fields = {"command": name}
    for field, values in ORDINARY[name].items():
        kind = draw(st.integers(0, 9))
        if kind == 0:
            fields[field] = draw(HOSTILE)
        elif kind <= 4 or field in ALWAYS_GIVEN:
            fields[field] = draw(st.sampled_from(values))
    return fields


def test_the_hostile_commands_cover_every_command() -> None:
    assert set(ORDINARY) == set(COMMANDS)


def refusal_of(cluster: Cluster, fields: Mapping[str, Any]) -> OffsetscopeError | None:
    """Do what a room does with a command; return why it is refused, if it is."""
    try:
        command = parse_command(fields)
        json.dumps(fields, ensure_ascii=False).encode()  # here it is logged
        apply(cluster, command)
    except OffsetscopeError as error:
        return error
    return None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts=st.lists(st.tuples(sent_commands(), st.sampled_from([0, 1_000, 60_000, 900_000])), min_size=1, max_size=15))
def test_any_command_is_applied_or_refused_with_a_reason_and_the_cluster_keeps_running(
    acts: list[tuple[dict[str, Any], int]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal.open(Path(directory) / "journal")
        cluster = build("pageviews", directory=Path(directory) / "cluster", seed=1, journal=journal, start_us=0)
        for fields, passes_us in acts:
            refusal = refusal_of(cluster, fields)
            if refusal is not None:
                assert refusal.definite
                assert refusal.remedy
                json.dumps(refusal.as_json(), ensure_ascii=False).encode()
            cluster.run_until(cluster.now_us + passes_us)
        cluster.run_until(cluster.now_us + 3_000_000)
        cluster.publish()
        for picture in (cluster.snapshot(), cluster.facts(), cluster.registry_tree()):
            json.dumps(picture, ensure_ascii=False, allow_nan=False).encode()
        cluster.close()
        journal.close()


LONG_KEY: Mapping[str, Any] = {"key": "k" * 1_001, "value": "v"}
IS_TEXT = {"topic", "key", "value", "from", "to", "client", "group", "consumer", "loader"}
TEXT_FIELDS = [(name, field) for name, fields in ORDINARY.items() for field in fields if field in IS_TEXT]
"""Every field of every command that is read as a text."""


NEEDED: Mapping[str, Mapping[str, Any]] = {"set_producer": {"keys": 1}, "corrupt": {"offset": 0}, "seek": {"offset": 0}}


@pytest.mark.parametrize(("name", "field"), TEXT_FIELDS)
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_text_that_utf8_cannot_encode_is_refused_in_every_field(name: str, field: str, text: str) -> None:
    first = {one: values[-1] for one, values in ORDINARY[name].items() if one in ALWAYS_GIVEN}
    with pytest.raises(InvalidCommand, match="lone surrogate") as fault:
        parse_command({"command": name, **first, **NEEDED.get(name, {}), field: text})
    assert fault.value.fields["field"] == field
    assert "U+D800" in fault.value.remedy


@pytest.mark.parametrize("fields", [LONG_KEY, {"records": [LONG_KEY]}], ids=["alone", "in a record"])
def test_a_key_that_is_too_long_is_refused_wherever_it_is_given(fields: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidCommand, match="at most 1000 characters"):
        parse_command({"command": "produce", **fields})


@pytest.mark.parametrize("record", [{"value": "\ud800"}, {"key": "\udfff", "value": "v"}])
def test_text_that_utf8_cannot_encode_is_refused_in_records(record: dict[str, str]) -> None:
    with pytest.raises(InvalidCommand, match="lone surrogate") as fault:
        parse_command({"command": "produce", "records": [{"value": "good"}, record]})
    assert fault.value.fields["field"] == "records"


def test_characters_beyond_the_basic_plane_and_control_characters_are_accepted() -> None:
    parse_command({"command": "produce", "key": "\U0001f600", "value": "\0\n\x7f\U0010ffff"})


@pytest.mark.parametrize(
    "text",
    ["--5", "-", "5-", "+5", "٣", "²", "1_0", "1e2", "5.0", "9" * 21, "9" * 5_000, "0" * 20 + "5", " " * 100 + "5"],
)
def test_text_that_is_not_a_whole_number_is_refused_with_the_name_of_its_field(text: str) -> None:
    with pytest.raises(InvalidCommand, match="count cannot be") as fault:
        parse_command({"command": "produce", "count": text})
    assert fault.value.fields["field"] == "count"
    assert fault.value.remedy == "give a whole number from 1 to 10000"
    assert len(fault.value.message) < 100


@pytest.mark.parametrize(
    "value",
    ["nan", "1e999", "-inf", "--5", "9" * 5_000, " " * 100 + "5", float("nan"), 1e308, True],
)
def test_a_number_far_out_of_range_is_refused_with_the_name_of_its_field(value: object) -> None:
    with pytest.raises(InvalidCommand, match="rate_per_second cannot be") as fault:
        parse_command({"command": "set_producer", "rate_per_second": value})
    assert fault.value.fields["field"] == "rate_per_second"
    assert len(fault.value.message) < 120


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(NESTED, id="nested list"),
        pytest.param({"a": NESTED}, id="nested object"),
        pytest.param(10**5_000, id="5,000 digits"),
        pytest.param(-(10**5_000), id="5,000 digits below 0"),
        pytest.param("x" * 100_000, id="100,000 characters"),
        1e308,
    ],
)
def test_the_error_for_a_refused_value_is_short_however_large_or_deep_it_is(value: object) -> None:
    for fields in ({"command": value}, {"command": "produce", "count": value}, {"command": "set_disk", "full": value}):
        with pytest.raises(InvalidCommand) as fault:
            parse_command({"broker": 1, **fields} if fields["command"] == "set_disk" else fields)
        assert len(fault.value.message) < 120


def test_a_name_over_the_length_limit_is_refused_before_it_is_looked_up() -> None:
    parse_command({"command": "produce", "topic": "x" * NAME_CHARACTERS})
    with pytest.raises(InvalidCommand) as fault:
        parse_command({"command": "produce", "topic": "x" * (NAME_CHARACTERS + 1)})
    assert fault.value.fields["field"] == "topic"


def test_the_error_for_an_unknown_field_can_be_encoded_in_utf8() -> None:
    with pytest.raises(InvalidCommand) as fault:
        parse_command({"command": "produce", "a\ud800": 1})
    assert fault.value.fields["field"] == "a?"
