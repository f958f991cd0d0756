"""A consumer's membership in its group: its ephemeral node, and its rebalances, one at a time."""

from collections.abc import Callable, Sequence

from engine.consumer.rebalance import ConsumerState, Rebalance, RebalanceListener
from engine.errors import NodeExists
from engine.ids import ConsumerId
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import NO_CONVERSATION, Conversation, RegistryClient, Wait
from engine.runtime.process import Process


class GroupMember:
    """One consumer's membership, which ends with its session; at most one rebalance runs at a time."""

    def __init__(
        self,
        consumer: ConsumerId,
        topics: Sequence[str],
        streams: Sequence[str],
        process: Process,
        registry: RegistryClient,
        listener: RebalanceListener,
        consumer_state: ConsumerState,
    ) -> None:
        self._subscription = paths.encode_subscription(dict.fromkeys(topics, len(streams)))
        self._consumer = consumer
        self._config = process.machine.config
        self._registry = registry
        self._state = consumer_state
        self._rebalance: Callable[[], Rebalance] = lambda: Rebalance(
            process, consumer, streams, topics, listener, consumer_state
        )
        self._rebalancing = NO_CONVERSATION
        self._member = False
        self._changed_meanwhile = False

    def join(self) -> None:
        """Join the group, once an earlier session of the same name has expired; then rebalance."""
        self._registry.start(self._join())

    def _join(self) -> Conversation:
        node = ops.Create(paths.member(self._consumer), self._subscription, ephemeral=True)
        while isinstance((yield (node,))[0], NodeExists):
            yield Wait(self._config.rebalance_backoff_us)
        self._member = True
        self._begin("joined")

    def changed(self, path: str) -> None:
        """Rebalance after a watch notification: the children of ``path`` have changed, so the shares may have, too."""
        if self._member and self._state.name != "closing":
            self._begin("members changed" if path == paths.members(self._consumer.group) else "brokers changed")

    def cancel_rebalance(self) -> None:
        """Cancel the rebalance under way, if any."""
        self._registry.cancel(self._rebalancing)
        self._rebalancing = NO_CONVERSATION

    def end(self) -> None:
        """End the membership, since the session is over."""
        self._member = False
        self.cancel_rebalance()

    def _begin(self, cause: str) -> None:
        if self._rebalancing != NO_CONVERSATION:
            self._changed_meanwhile = True
            return
        self._rebalancing = self._registry.start(self._run_until_nothing_changes(cause))

    def _run_until_nothing_changes(self, cause: str) -> Conversation:
        """Rebalance, and repeat while the registry has changed meanwhile; all of it ends with the session."""
        while True:
            self._changed_meanwhile = False
            yield from self._rebalance().run(cause)
            if not self._changed_meanwhile:
                break
            yield Wait(0)
            cause = "registry changed"
        self._rebalancing = NO_CONVERSATION
