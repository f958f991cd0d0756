"""What a person can do to a cluster, as immutable commands.

``parse_command`` turns the JSON of a command (or a form's fields) into a value; ``apply`` executes it at the present
virtual time. A command that cannot be executed raises a typed error before it has changed anything.
"""

from collections.abc import Mapping
from typing import Protocol

from engine.cluster.cluster import Cluster
from engine.commands import brokers, consumers, deployment, failures, offsets, producing
from engine.commands.fields import Fields, shown
from engine.errors import InvalidCommand


class Command(Protocol):
    """A change that a person can make to a cluster."""

    def apply(self, cluster: Cluster) -> None:
        """Make the change, or raise an :class:`~engine.errors.OffsetscopeError` having changed nothing."""


class Parser(Protocol):
    """A command's class, which reads its own fields."""

    def parse(self, fields: Fields) -> Command:
        """Read the fields; :class:`InvalidCommand` names the bad one."""


COMMANDS: Mapping[str, Parser] = {
    "produce": producing.Produce,
    "set_producer": producing.SetProducer,
    "add_topic": producing.AddTopic,
    "corrupt": producing.Corrupt,
    "set_link": failures.SetLink,
    "heal_links": failures.ClearLinkFaults,
    "set_disk": failures.SetDisk,
    "freeze_consumer": failures.FreezeConsumer,
    "expire_session": failures.ExpireSession,
    "add_broker": brokers.AddBroker,
    "stop_broker": brokers.StopBroker,
    "crash_broker": brokers.CrashBroker,
    "start_broker": brokers.StartBroker,
    "add_group": consumers.AddGroup,
    "add_consumer": consumers.AddConsumer,
    "stop_consumer": consumers.StopConsumer,
    "crash_consumer": consumers.CrashConsumer,
    "remove_consumer": consumers.RemoveConsumer,
    "pause_consumer": consumers.PauseConsumer,
    "resume_consumer": consumers.ResumeConsumer,
    "set_consumer": consumers.SetConsumer,
    "seek": offsets.Seek,
    "commit": offsets.Commit,
    "set_mirror": deployment.SetMirror,
    "crash_loader": deployment.CrashLoader,
    "start_loader": deployment.StartLoader,
}


def parse_command(fields: Mapping[str, object]) -> Command:
    """Read ``{"command": name, ...}``; raises :class:`InvalidCommand` or :class:`InvalidName`."""
    name = fields.get("command")
    if not isinstance(name, str) or name not in COMMANDS:
        raise InvalidCommand(
            f"there is no command {shown(name)}", "use one of: " + ", ".join(COMMANDS), field="command"
        )
    reading = Fields(name, fields)
    command = COMMANDS[name].parse(reading)
    reading.finish()
    return command


def apply(cluster: Cluster, command: Command) -> None:
    """Execute ``command`` now.

    What is due at this instant runs before it, and what the command makes due at once runs right after it. So several
    commands at the same virtual time have the same effect however they are grouped.
    """
    cluster.run_until(cluster.now_us)
    with cluster.changing():
        command.apply(cluster)
    cluster.run_until(cluster.now_us)
