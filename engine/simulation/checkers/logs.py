"""Checkers of the brokers' guarantees: flushed messages stay, in order, and only flushed messages are exposed."""

from engine.simulation.checkers.log_history import LogHistories, LogHistory
from engine.simulation.history import Anomalies, Anomaly, FinalLog, History, JournalEvent, partition_of


def flushed_messages_stay(history: History) -> Anomalies:
    """Find ``lost-flushed``: flushed bytes are missing, and no recovery that found a damaged entry explains it."""
    log_histories = LogHistories(history.batches)
    for event in history.events:
        if event["event"] in ("log_cut", "log_flushed"):
            log = log_histories.logs[partition_of(event)]
            kept = event["next_offset"] if event["event"] == "log_cut" else event["flushed_offset"]
            if kept < log.flushed_offset and not _explained_by_damage(event, log):
                sentence = f"{partition_of(event)} was flushed up to {log.flushed_offset} and now ends at {kept}"
                yield Anomaly("lost-flushed", sentence, (event,))
        log_histories.take(event)
    for name, log in log_histories.logs.items():
        yield from _files_agree(name, log, history.logs[name])


def _explained_by_damage(event: JournalEvent, log: LogHistory) -> bool:
    return event["event"] == "log_cut" and event["cause"] == "recovery" and event["next_offset"] in log.damaged


def _files_agree(name: str, log: LogHistory, final: FinalLog) -> Anomalies:
    expected = log.on_disk()
    if final.first_offset != log.first_offset:
        sentence = f"the files of {name} begin at {final.first_offset}, and no event reports a deletion up to there"
        yield Anomaly("lost-flushed", sentence)
    elif final.first_offset + len(final.content) < log.flushed_offset:
        sentence = f"the files of {name} end before the flushed offset {log.flushed_offset}"
        yield Anomaly("lost-flushed", sentence)
    elif final.content != expected:
        pairs = enumerate(zip(final.content, expected, strict=False))
        position = next((index for index, (found, wanted) in pairs if found != wanted), len(expected))
        sentence = f"the files of {name} differ from what was appended, from offset {log.first_offset + position} on"
        yield Anomaly("altered-on-disk", sentence)


def acknowledged_messages_stay(history: History) -> Anomalies:
    """Find ``lost-acknowledged``: an acknowledged and flushed batch is missing, and no damage explains it.

    An acknowledged batch that a crash truncates before it was flushed is not covered by the guarantee.
    """
    log_histories = LogHistories(history.batches)
    acknowledged: dict[str, dict[int, JournalEvent]] = {}
    appended: dict[int, JournalEvent] = {}
    for event in history.events:
        kind = event["event"]
        if kind == "batch_appended":
            appended[event["batch"]] = event
        elif kind == "batch_acknowledged" and not event["error"]:
            where = appended.get(event["batch"])
            if where is None or where["offset"] != event["offset"]:
                sentence = f"batch {event['batch']} was acknowledged at {event['offset']}, where it is not"
                yield Anomaly("acknowledged-unappended", sentence, (event,))
            else:
                acknowledged.setdefault(partition_of(event), {})[event["batch"]] = where
        elif kind == "log_cut":
            log, batches = log_histories.logs[partition_of(event)], acknowledged.get(partition_of(event), {})
            for number, where in list(batches.items()):
                if where["next_offset"] > event["next_offset"]:
                    del batches[number]
                    if where["next_offset"] <= log.flushed_offset and not _explained_by_damage(event, log):
                        sentence = f"batch {number} was acknowledged and flushed, and is gone"
                        yield Anomaly("lost-acknowledged", sentence, (where, event))
        log_histories.take(event)


def order_holds(history: History) -> Anomalies:
    """Find ``order-broken``: an append not at the log's end, sets of one sender out of order, or a set appended twice.

    Order holds per sender: two mirrors may send to one partition, each in its own order.
    """
    log_histories = LogHistories(history.batches)
    senders: dict[int, str] = {}
    last_batch: dict[tuple[str, str], JournalEvent] = {}
    for event in history.events:
        if event["event"] in ("batch_sent", "batch_mirrored"):
            senders[event["batch"]] = event.get("consumer", "")
        if event["event"] == "batch_appended":
            name = partition_of(event)
            end = len(log_histories.logs[name].content)
            size = len(history.batches[event["batch"]])
            if event["offset"] != end or event["next_offset"] != end + size or sum(event["sizes"]) != size:
                sentence = f"{name} ended at {end}, and a set of {size} bytes went elsewhere"
                yield Anomaly("order-broken", sentence, (event,))
            before = last_batch.get((name, senders[event["batch"]]))
            if before is not None and before["batch"] >= event["batch"]:
                sentence = f"{name} took batch {event['batch']} after batch {before['batch']}"
                yield Anomaly("order-broken", sentence, (before, event))
            last_batch[name, senders[event["batch"]]] = event
        log_histories.take(event)


def nothing_is_shown_before_its_flush(history: History) -> Anomalies:
    """Find ``exposed-before-flush``: a fetch response held bytes that were not flushed yet."""
    log_histories = LogHistories(history.batches)
    for event in history.events:
        if event["event"] == "fetch_answered" and event["bytes"]:
            flushed_offset = log_histories.logs[partition_of(event)].flushed_offset
            if event["offset"] + event["bytes"] > flushed_offset:
                sentence = f"{partition_of(event)} is flushed up to {flushed_offset} only"
                yield Anomaly("exposed-before-flush", sentence, (event,))
        log_histories.take(event)


def delivered_bytes_are_those_appended(history: History) -> Anomalies:
    """Find ``delivered-differs``: a consumer accepted other bytes as messages than the producer had sent there.

    A broker may read damaged bytes; a consumer must not accept them as messages.
    """
    log_histories = LogHistories(history.batches)
    appended: dict[int, bytes] = {}
    for event in history.events:
        if event["event"] == "fetch_answered":
            begin = event["offset"]
            appended[event["fetch"]] = bytes(
                log_histories.logs[partition_of(event)].content[begin : begin + event["bytes"]]
            )
        elif event["event"] == "fetch_received":
            taken = event["next_offset"] - event["offset"]
            was, sent = history.answers[event["fetch"]][:taken], appended.pop(event["fetch"])[:taken]
            if was != sent:
                sentence = f"of {partition_of(event)} at {event['offset']}, {taken} bytes are not those appended"
                yield Anomaly("delivered-differs", sentence, (event,))
        log_histories.take(event)
