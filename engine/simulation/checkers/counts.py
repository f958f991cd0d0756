"""The checker of counts: messages and bytes in the journal and in the facts equal those in the log files."""

from collections import defaultdict

from engine.simulation.checkers.log_history import LogHistories
from engine.simulation.checkers.sets import count_messages, entries_of
from engine.simulation.history import Anomalies, Anomaly, History, JournalEvent, partition_of

STORAGE_FAILED = "storage_failed"
REFUSALS = {"batch_lost": "reason", "batch_acknowledged": "error"}
"""The events of a refused batch, each with the field of its reason."""


class Counts:
    """The messages of every partition by the journal: appended, truncated (crash, recovery), deleted by retention."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._logs = LogHistories(history.batches)
        self._kept: defaultdict[str, int] = defaultdict(int)
        """Appended and not truncated; retention does not count here, as in ``events_appended``."""
        self._torn_bytes: defaultdict[str, int] = defaultdict(int)
        """Bytes that a write which failed midway may have left at a log's end, until a recovery truncates them."""
        self._cuts: defaultdict[str, set[int]] = defaultdict(set)
        """Where logs were truncated."""
        self._placed: dict[tuple[str, str], int] = {}
        """The offset that the lag of a group in a partition was last counted from."""

    def anomalies(self) -> Anomalies:
        """Go through the journal once, then compare with the files and with the cluster's facts at the end."""
        for event in self._history.events:
            yield from self._take(event)
        for partition in self._history.logs:
            yield from self._files(partition)
        for topic in self._history.facts["topics"]:
            yield from self._topic(topic["topic"], topic["events_appended"])
        for group in self._history.facts["groups"]:
            for place in group["partitions"]:
                yield from self._lag(group["group"], place)

    def _take(self, event: JournalEvent) -> Anomalies:
        """Go on by one event."""
        if event["event"] == "batch_appended":
            self._kept[partition_of(event)] += event["messages"]
            in_set = count_messages(self._history.batches[event["batch"]])
            if event["messages"] != in_set:
                yield Anomaly("miscounted", f"the set holds {in_set} messages", (event,))
        elif event["event"] == "log_cut":
            self._cuts[partition_of(event)].add(event["next_offset"])
            yield from self._cut(event)
        elif event["event"] == "committed_offset_placed":
            self._placed[event["group"], partition_of(event)] = event["offset"]
        elif event["event"] in REFUSALS and event[REFUSALS[event["event"]]] == STORAGE_FAILED:
            self._torn_bytes[partition_of(event)] = len(self._history.batches[event["batch"]])
        self._logs.take(event)

    def _cut(self, event: JournalEvent) -> Anomalies:
        """Check a truncation: it removes the messages after the new end, and a torn write, which is no message."""
        partition = partition_of(event)
        cut = bytes(self._logs.logs[partition].content[event["next_offset"] :])
        self._kept[partition] -= event["messages_cut"]
        torn_bytes = event["bytes_cut"] - len(cut)
        if not 0 <= torn_bytes <= self._torn_bytes[partition] or count_messages(cut) != event["messages_cut"]:
            sentence = f"{len(cut)} bytes and {count_messages(cut)} messages vanished from {partition}"
            yield Anomaly("miscounted", sentence, (event,))
        if event["cause"] == "recovery":
            self._torn_bytes[partition] = 0

    def _files(self, partition: str) -> Anomalies:
        """Count the files. A flipped byte removes no message: flips in the journal are undone before counting."""
        log, final = self._logs.logs[partition], self._history.logs[partition]
        held = count_messages(log.without_damage(final.first_offset, final.content))
        deleted = count_messages(bytes(log.content[: final.first_offset]))
        kept = self._kept[partition]
        if kept - deleted != held:
            sentence = f"the files of {partition} hold {held} messages: {kept} appended and not cut, {deleted} deleted"
            yield Anomaly("miscounted", sentence)
        reported = self._history.state["partitions"][partition]["messages"]
        if reported != kept:
            yield Anomaly("miscounted", f"{partition} has {reported} messages in the state, and {kept} in the journal")

    def _topic(self, topic: str, events_appended: int) -> Anomalies:
        partitions = range(len(self._history.state["topics"][topic]["brokers"]))
        kept = sum(self._kept[f"{topic}-{number}"] for number in partitions)
        in_state = self._history.state["topics"][topic]["events_appended"]
        for where, reported in (("facts", events_appended), ("state", in_state)):
            if reported != kept:
                sentence = f"{topic} has {reported} messages in the {where}, and {kept} in the journal"
                yield Anomaly("miscounted", sentence)

    def _lag(self, group: str, place: JournalEvent) -> Anomalies:
        """Check the lag from the committed offset, clamped to the log, to its end; a message counts where it begins.

        A truncation may leave a committed offset beyond the end, where later messages say nothing about it. The lag is
        then counted from the truncation until the group commits again.
        """
        content = bytes(self._logs.logs[partition_of(place)].content)
        first_offset = self._history.logs[partition_of(place)].first_offset
        committed_offset = place["committed_offset"]
        placed_offset = self._placed.get((group, partition_of(place)), committed_offset)
        if placed_offset < committed_offset and placed_offset in self._cuts[partition_of(place)]:
            committed_offset = placed_offset
        offset = min(max(committed_offset, first_offset), len(content))
        messages = sum(count_messages(entry) for begin, entry in entries_of(content) if begin >= offset)
        reported = place["lag_bytes"], place["lag_messages"]
        if reported != (len(content) - offset, messages):
            lag = f"{len(content) - offset} bytes and {messages} messages"
            sentence = f"{group} lags by {lag} in {partition_of(place)}, and in the facts by {reported}"
            yield Anomaly("miscounted", sentence)


def counts_match_the_files(history: History) -> Anomalies:
    """Find ``miscounted``: messages or bytes appended, truncated, kept or waiting differ from those in the files."""
    return Counts(history).anomalies()
