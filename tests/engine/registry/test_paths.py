"""The path table."""

from engine.ids import BrokerId, ConsumerId, GroupId, TopicPartition
from engine.registry import paths


def test_every_node_has_the_path_in_the_path_table() -> None:
    group, partition, broker = GroupId("g"), TopicPartition("t-x", 3), BrokerId(1)
    assert paths.broker(broker) == "/brokers/ids/1"
    assert paths.topic_broker("t-x", broker) == "/brokers/topics/t-x/1"
    assert paths.member(ConsumerId(group, "c")) == "/consumers/g/ids/c"
    assert paths.owner(group, partition, broker) == "/consumers/g/owners/t-x/1-3"
    assert paths.offset(group, partition, broker) == "/consumers/g/offsets/t-x/1-3"


def test_a_subscription_has_the_bytes_that_clients_of_the_time_wrote() -> None:
    assert paths.encode_subscription({"test": 1}) == '{ "test": 1 }'  # case 50
    assert paths.encode_subscription({"topic1": 2, "topic2": 1}) == '{ "topic1": 2,"topic2": 1 }'


def test_a_stream_names_its_consumer_even_if_that_has_dashes() -> None:
    assert paths.stream_consumer(paths.stream("group1-consumer1")) == "group1-consumer1"


def test_partition_numbers_survive_encoding_and_decoding() -> None:
    assert paths.decode_partitions(paths.encode_partitions([0, 3, 10])) == (0, 3, 10)
    assert paths.decode_partitions("") == ()
