"""Commands that a person can type, and the errors for those that are refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.commands import COMMANDS, parse_command
from engine.commands.consumers import next_name
from engine.errors import (
    InvalidCommand,
    InvalidName,
    NameTaken,
    OffsetInsideMessage,
    OffsetOutOfRange,
    OffsetscopeError,
    UnknownBroker,
    UnknownConsumer,
    UnknownGroup,
    UnknownPartition,
    UnknownTopic,
    WrongState,
)
from engine.ids import BrokerId, GroupId, TopicPartition
from tests.support.clusters import GROUP, Stage


@pytest.mark.parametrize(
    ("fields", "bad_field"),
    [
        ({}, "command"),
        ({"command": "explode"}, "command"),
        ({"command": 7}, "command"),
        ({"command": "produce", "count": 0}, "count"),
        ({"command": "produce", "count": 1.5}, "count"),
        ({"command": "produce", "count": True}, "count"),
        ({"command": "produce", "count": "many"}, "count"),
        ({"command": "produce", "count": 10_001}, "count"),
        ({"command": "produce", "count": 1, "value": "v"}, "count"),
        ({"command": "produce", "records": []}, "records"),
        ({"command": "produce", "records": "v"}, "records"),
        ({"command": "produce", "records": [{"value": 7}]}, "records"),
        ({"command": "produce", "records": [{"valeu": "typo"}]}, "records"),
        ({"command": "produce", "records": [{"value": "\ud800"}]}, "records"),
        ({"command": "produce", "size": -1}, "size"),
        ({"command": "produce", "count": 10_000, "size": 1_000_000}, "size"),
        ({"command": "produce", "colour": "red"}, "colour"),
        ({"command": "set_producer"}, "a setting"),
        ({"command": "set_producer", "partitioner": "magic"}, "partitioner"),
        ({"command": "set_producer", "rate_per_second": float("nan")}, "rate_per_second"),
        ({"command": "set_producer", "compression": "snappy"}, "compression"),
        ({"command": "add_topic"}, "topic"),
        ({"command": "add_topic", "topic": "t", "partitions": 65}, "partitions"),
        ({"command": "crash_broker"}, "broker"),
        ({"command": "crash_consumer"}, "consumer"),
        ({"command": "set_consumer", "consumer": "A"}, "a setting"),
        ({"command": "set_consumer", "consumer": "A", "messages_per_second": 0}, "messages_per_second"),
        ({"command": "seek", "group": "g", "partition": 0}, "offset"),
        ({"command": "seek", "group": "g", "partition": 0, "offset": "soon"}, "offset"),
        ({"command": "seek", "group": "g", "partition": 0, "offset": 1, "time_us": 1}, "offset"),
        ({"command": "seek", "group": "g", "partition": 0, "time_us": 1, "time_s": 1}, "time_us"),
        ({"command": "seek", "group": "g", "partition": 0, "time_s": -0.5}, "time_s"),
        ({"command": "commit"}, "group"),
    ],
)
def test_a_bad_field_is_named_with_a_remedy(fields: Mapping[str, Any], bad_field: str) -> None:
    with pytest.raises(InvalidCommand) as fault:
        parse_command(fields)
    assert fault.value.fields["field"] == bad_field
    assert fault.value.remedy


@pytest.mark.parametrize(
    "fields",
    [
        {"command": "add_topic", "topic": "../etc"},
        {"command": "add_topic", "topic": "-t"},
        {"command": "add_topic", "topic": "t" * 81},
        {"command": "add_group", "group": "a/b"},
        {"command": "add_group", "group": " a"},
        {"command": "add_group", "group": "a\nb"},
        {"command": "add_consumer", "group": "g", "consumer": "x" * 61},
    ],
)
def test_a_name_that_cannot_be_both_a_directory_and_a_node_is_refused(fields: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidName):
        parse_command(fields)


def test_a_refused_number_is_quoted_as_it_was_typed() -> None:
    for typed, said in (("1000000000", "1000000000"), ("-0.5", "-0.5"), ("nan", "nan"), ("inf", "inf")):
        with pytest.raises(InvalidCommand, match=f"cannot be {said}$|cannot be {said}[:,;]"):
            parse_command({"command": "set_producer", "rate_per_second": typed})


def test_form_text_is_parsed_as_numbers_and_empty_inputs_count_as_missing() -> None:
    assert parse_command({"command": "produce", "count": "3", "size": "", "topic": ""}) == parse_command(
        {"command": "produce", "count": 3}
    )


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"command": "produce", "topic": "nowhere"}, UnknownTopic),
        ({"command": "set_producer", "topic": "nowhere", "keys": 1}, UnknownTopic),
        ({"command": "add_topic", "topic": "clicks"}, NameTaken),
        ({"command": "add_broker", "broker": 1}, NameTaken),
        ({"command": "crash_broker", "broker": 9}, UnknownBroker),
        ({"command": "start_broker", "broker": 1}, WrongState),
        ({"command": "add_group", "group": GROUP}, NameTaken),
        ({"command": "add_group", "group": "new", "topic": "nowhere"}, UnknownTopic),
        ({"command": "add_consumer", "group": "nobody"}, UnknownGroup),
        ({"command": "add_consumer", "group": GROUP, "consumer": "A"}, NameTaken),
        ({"command": "stop_consumer", "consumer": "Z"}, UnknownConsumer),
        ({"command": "resume_consumer", "consumer": "A"}, WrongState),
        ({"command": "remove_consumer", "consumer": "A"}, WrongState),
        ({"command": "seek", "group": GROUP, "partition": 7, "offset": 0}, UnknownPartition),
        ({"command": "seek", "group": GROUP, "partition": 0, "offset": 5}, OffsetInsideMessage),
        ({"command": "seek", "group": GROUP, "partition": 0, "offset": 5_000}, OffsetOutOfRange),
        ({"command": "corrupt", "partition": 0, "offset": 3}, OffsetInsideMessage),
        ({"command": "corrupt", "partition": 0, "offset": 19}, InvalidCommand),
        ({"command": "commit", "group": "nobody"}, UnknownGroup),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_changes_nothing(
    stage: Stage, fields: Mapping[str, Any], error: type[OffsetscopeError]
) -> None:
    stage.with_topic().with_group("A")
    before = stage.cluster.snapshot(), len(stage.events())
    rest = {name: value for name, value in fields.items() if name != "command"}
    with pytest.raises(error):
        stage.do(fields["command"], **rest)
    assert (stage.cluster.snapshot(), len(stage.events())) == before


def test_commands_to_stopped_processes_are_refused(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    stage.do("crash_consumer", consumer="A")
    stage.do("stop_broker", broker=1)
    for command, fields in [
        ("crash_consumer", {"consumer": "A"}),
        ("stop_consumer", {"consumer": "A"}),
        ("pause_consumer", {"consumer": "A"}),
        ("stop_broker", {"broker": 1}),
        ("crash_broker", {"broker": 1}),
        ("seek", {"group": GROUP, "partition": 0, "offset": 0}),
    ]:
        with pytest.raises(WrongState):
            stage.do(command, **fields)


def test_an_offset_inside_a_message_is_refused_with_the_two_around_it(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    with pytest.raises(OffsetInsideMessage) as fault:
        stage.do("seek", group=GROUP, partition=0, offset=5)
    assert fault.value.remedy == "use 0 or 19"


def test_new_members_are_named_after_the_first(stage: Stage) -> None:
    assert next_name(GroupId("g"), ["Metrics A", "Metrics B"]) == "Metrics C"
    assert next_name(GroupId("g"), ["Metrics A", "Metrics C"]) == "Metrics B"
    assert next_name(GroupId("g"), []) == "g A"
    stage.with_topic().with_group("A")
    stage.do("add_consumer", group=GROUP)
    stage.run_ms(300)
    assert set(stage.owners()) == {"A", f"{GROUP} A"}


def test_a_consumer_needs_its_group_only_where_two_groups_have_one_of_that_name(stage: Stage) -> None:
    stage.with_topic().with_group("A")
    stage.do("pause_consumer", consumer="A")
    stage.do("add_group", group="others")
    stage.do("add_consumer", group="others", consumer="A")
    with pytest.raises(InvalidCommand):
        stage.do("resume_consumer", consumer="A")
    stage.do("resume_consumer", group=GROUP, consumer="A")


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("stop_consumer", {"consumer": "A"}),
        ("pause_consumer", {"consumer": "A"}),
        ("set_consumer", {"consumer": "A", "fetch_bytes": 100}),
        ("commit", {"consumer": "A"}),
        ("seek", {"group": GROUP, "partition": 0, "offset": "earliest"}),
    ],
)
def test_a_frozen_consumer_receives_nothing_until_it_continues(
    stage: Stage, command: str, fields: dict[str, object]
) -> None:
    stage.with_topic(1).with_group("A")
    stage.do("freeze_consumer", consumer="A", duration_ms=10)
    before = len(stage.events())
    with pytest.raises(WrongState, match="is frozen"):
        stage.do(command, **fields)
    stage.do("commit", group=GROUP)
    assert len(stage.events()) == before
    stage.run_ms(10)
    stage.do(command, **fields)


def test_a_seek_goes_to_the_owner_and_not_to_a_former_owner_that_is_frozen(stage: Stage) -> None:
    stage.with_topic(1).with_group("A", "B")
    stage.do("freeze_consumer", consumer="A", duration_ms=400)
    stage.run_ms(300)
    assert stage.owners() == {"A": [], "B": ["clicks-0"]}
    stage.do("seek", group=GROUP, partition=0, offset="earliest")
    (sought,) = stage.events("offset_sought")
    assert sought["consumer"] == "B"


def test_an_ended_consumer_can_be_removed(stage: Stage) -> None:
    stage.with_topic().with_group("A", "B")
    stage.do("stop_consumer", consumer="B")
    stage.run_ms(20)
    stage.do("remove_consumer", consumer="B")
    assert set(stage.owners()) == {"A"}


def test_a_new_topic_spreads_over_the_running_brokers_and_accepts_messages(stage: Stage) -> None:
    stage.do("crash_broker", broker=2)
    stage.do("add_topic", topic="orders", partitions=4)
    (added,) = stage.events("topic_added")
    assert added["brokers"] == [1, 3, 1, 3]
    stage.do("produce", topic="orders", count=2)
    stage.run_ms(20)
    assert stage.partition(0, "orders")["message_offsets"][0] == 0


def test_every_command_of_the_contract_exists() -> None:
    contract = (
        "produce set_producer add_topic add_broker stop_broker crash_broker start_broker add_group add_consumer "
        "stop_consumer crash_consumer pause_consumer resume_consumer set_consumer seek commit corrupt"
    )
    assert set(contract.split()) <= set(COMMANDS)


@pytest.mark.parametrize("command", ["seek", "corrupt"])
def test_offsets_inside_a_damaged_or_large_message_are_refused_and_later_starts_are_not(
    stage: Stage, command: str
) -> None:
    stage.with_topic(partitions=1).with_group("A")
    log = stage.cluster.state.brokers[BrokerId(1)].logs[TopicPartition("clicks", 0)]
    large = log.next_offset
    for size in (3_000, 20):
        stage.do("produce", count=1, size=size)
    stage.run_ms(50)
    stage.do("corrupt", topic="clicks", partition=0, offset=0)
    stage.do("corrupt", topic="clicks", partition=0, offset=large)
    behind = large + 9 + 3_000
    fields: dict[str, Any] = {"topic": "clicks", "partition": 0} | ({"group": GROUP} if command == "seek" else {})
    for offset, around in ((5, (0, large)), (large + 1, (large, behind)), (behind - 1, (large, behind))):
        with pytest.raises(OffsetInsideMessage) as fault:
            stage.do(command, **fields, offset=offset)
        assert fault.value.fields == {"offset": offset, "message_offset": around[0], "next_offset": around[1]}
    for offset in (large, behind):
        stage.do(command, **fields, offset=offset)
