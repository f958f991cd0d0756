"""The one fault that no lease can cover: the registry's clock jumps for a client that lives.

The registry notifies the client at once, and the client stops at once. What it does before the notice can have arrived
is excused: for the time that one message takes over a healthy wire to a process that is awake.
"""

from engine.simulation.history import History, JournalEvent


class Jumps:
    """The consumers whose sessions were jumped away and who may not know yet, folded from the journal."""

    def __init__(self, history: History) -> None:
        self._hop_us = history.registry_hop_us
        self._told = {
            (operation.at_us, operation.fields["client"])
            for operation in history.operations
            if operation.fields["command"] == "expire_session" and not operation.refusal
        }
        self._jumped_us: dict[str, int] = {}
        self._troubled: set[str] = set()
        self._frozen_until_us: dict[str, int] = {}
        self._deaf: set[str] = set()

    def take(self, event: JournalEvent) -> None:
        """Change as an event says; most say nothing about it."""
        match event["event"]:
            case "session_expired" if (event["at_us"], event["client"]) in self._told:
                self._jump(event["client"], event["at_us"])
            case "session_opened":
                self._jumped_us.pop(event["client"], None)
                self._deaf.discard(event["client"])
            case "link_changed" if "registry" in (event["one"], event["other"]):
                client = event["one"] if event["other"] == "registry" else event["other"]
                if event["cut"] or event["loss_permille"] or event["delay_us"]:
                    self._troubled.add(client)
                    self._deaf.update({client} & set(self._jumped_us))
                else:
                    self._troubled.discard(client)
            case "consumer_frozen":
                client = f"consumer:{event['group']}/{event['consumer']}"
                self._frozen_until_us[client] = event["until_us"]
                self._deaf.update({client} & set(self._jumped_us))

    def _jump(self, client: str, at_us: int) -> None:
        self._jumped_us[client] = at_us
        if client in self._troubled or self._frozen_until_us.get(client, -1) > at_us:
            self._deaf.add(client)

    def may_not_know(self, group: str, consumer: str, at_us: int) -> bool:
        """Whether a consumer's session was jumped away and it may not have heard of it."""
        client = f"consumer:{group}/{consumer}"
        if client not in self._jumped_us:
            return False
        return client in self._deaf or at_us <= self._jumped_us[client] + self._hop_us
