"""The errors of the engine, as one class tree.

An error carries a stable ``code`` for programs, a ``message`` and a ``remedy`` for people, and the offending
ids or offsets as ``fields``. ``definite`` says what matters after a failure: whether the operation
certainly did *not* happen. Bugs in our own code are assertions, never members of this tree.
"""

from typing import ClassVar

FieldValue = str | int | float | bool | list[str] | list[int]


class OffsetscopeError(Exception):
    """The base of all errors with an outside cause (bad input, damaged bytes, a full disk), not a bug of ours."""

    code: ClassVar[str] = "offsetscope_error"
    definite: ClassVar[bool] = True

    def __init__(self, message: str, remedy: str, **fields: FieldValue) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.fields = fields

    def as_json(self) -> dict[str, FieldValue]:
        """The public shape of an error: ``{"code", "message", "remedy", ...fields}``."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy, **self.fields}


# --- bytes and logs ---------------------------------------------------------------------------------------


class InvalidMessage(OffsetscopeError):
    """The bytes of a message contradict its CRC, magic or codec (0.7: InvalidMessageException)."""

    code = "invalid_message"


class InvalidMessageSize(OffsetscopeError):
    """The first entry of a message set does not fit in the set (0.7: InvalidMessageSizeException)."""

    code = "invalid_message_size"


class UnsupportedCodec(OffsetscopeError):
    """A compressed set is whole, but its codec (snappy) cannot be inflated here."""

    code = "unsupported_codec"


class MessageTooLarge(OffsetscopeError):
    """A payload is over ``max_message_bytes`` (0.7: MessageSizeTooLargeException)."""

    code = "message_too_large"


class OffsetOutOfRange(OffsetscopeError):
    """An offset lies before the first segment or after the last flushed byte (0.7 code 1)."""

    code = "offset_out_of_range"


class OffsetInsideMessage(OffsetscopeError):
    """An offset lies between two message boundaries, where no message starts."""

    code = "offset_inside_message"


class LogGap(OffsetscopeError):
    """Two neighbouring segments do not meet (0.7: the broker refuses to start)."""

    code = "log_gap"


class LogClosed(OffsetscopeError):
    """The log was closed and takes no more bytes."""

    code = "log_closed"


class StorageFailed(OffsetscopeError):
    """The disk refused a read or a write; whether bytes reached it is not known."""

    code = "storage_failed"
    definite = False


class MachineFault(OffsetscopeError):
    """The machine that runs the simulation failed: no file descriptors, no space, a read-only folder.

    It is never part of a simulation's history: no simulated process catches it, and it ends the cluster.
    """

    code = "machine_fault"
    definite = False


# --- names ------------------------------------------------------------------------------------------------


class UnknownName(OffsetscopeError):
    """The named thing does not exist; the remedy lists those that do."""

    code = "unknown_name"


class UnknownTopic(UnknownName):
    """No such topic."""

    code = "unknown_topic"


class UnknownPartition(UnknownName):
    """No such partition in the topic (0.7 code 3, WrongPartition)."""

    code = "unknown_partition"


class UnknownBroker(UnknownName):
    """No such broker."""

    code = "unknown_broker"


class UnknownGroup(UnknownName):
    """No such consumer group."""

    code = "unknown_group"


class UnknownConsumer(UnknownName):
    """No such consumer in the group."""

    code = "unknown_consumer"


class UnknownScenario(UnknownName):
    """No such scenario."""

    code = "unknown_scenario"


class NameTaken(OffsetscopeError):
    """The name is in use already."""

    code = "name_taken"


class InvalidName(OffsetscopeError):
    """The name cannot be a directory, a registry node and a label at the same time."""

    code = "invalid_name"


# --- commands and state -----------------------------------------------------------------------------------


class InvalidCommand(OffsetscopeError):
    """A command is malformed: an unknown verb, a missing field, a value out of its range."""

    code = "invalid_command"


class WrongState(OffsetscopeError):
    """The command is valid, but not in the present state (stopping what is stopped, starting what runs)."""

    code = "wrong_state"


class NoBrokerAvailable(OffsetscopeError):
    """No live broker holds a partition of the topic."""

    code = "no_broker_available"


class InvalidPartition(OffsetscopeError):
    """A partitioner chose a partition that the topic does not have (0.7: InvalidPartitionException)."""

    code = "invalid_partition"


class QueueFull(OffsetscopeError):
    """An asynchronous producer's queue is full (0.7: QueueFullException)."""

    code = "queue_full"


class InvalidMonitoringEvent(OffsetscopeError):
    """A payload on the audit's topic is not a monitoring event."""

    code = "invalid_monitoring_event"


# --- registry ---------------------------------------------------------------------------------------------


class NodeExists(OffsetscopeError):
    """A registry node was to be created where one exists."""

    code = "node_exists"


class NoNode(OffsetscopeError):
    """The registry has no node at the path."""

    code = "no_node"


class SessionExpired(OffsetscopeError):
    """The registry has ended the session of the request."""

    code = "session_expired"
