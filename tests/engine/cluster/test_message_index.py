"""The observer's index: how many messages lie before an offset, after appends, cuts and deletions."""

from engine.cluster.message_index import MessageIndex
from engine.config import TINY
from engine.message.message_set import encode_compressed_set
from engine.storage.log import NOT_ROLLED, Appended
from tests.engine.conftest import MakeStage
from tests.support.clusters import with_producer


def test_a_crash_counts_a_damaged_compressed_set_without_opening_it(make_stage: MakeStage) -> None:
    """A set that stays in the log is not cut, so what it holds is known already."""
    stage = make_stage(with_producer(TINY, compression="gzip"), brokers=1).with_topic(1)
    stage.do("produce", records=[{"value": "a"}, {"value": "b"}, {"value": "c"}])
    stage.run_ms(20)
    damaged = stage.partition()["message_offsets"][-1]
    stage.do("corrupt", partition=0, offset=damaged)
    stage.do("produce", records=[{"value": "lost"}])
    stage.run_ms(1.5)
    stage.do("crash_broker", broker=1)
    (cut,) = stage.events("log_cut")
    assert (cut["cause"], cut["messages_cut"]) == ("crash", 1)
    stage.do("start_broker", broker=1)
    assert stage.events("log_cut")[-1]["messages_cut"] == 3


def test_a_cut_at_the_end_of_the_last_batch_reads_nothing() -> None:
    index = MessageIndex()
    size = len(encode_compressed_set([b"a", b"b"]))
    index.note(Appended(0, size, 2, (size,), NOT_ROLLED, flushed=False), ("a",), 1)

    def read(offset: int, size_bytes: int) -> bytes:
        raise AssertionError(f"{size_bytes} bytes at {offset} were read")

    assert index.cut(size, read) == 0
    assert index.cut(0, read) == 2
