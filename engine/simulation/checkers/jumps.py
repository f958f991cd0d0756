"""The one fault that no lease can cover: the session of a running client is expired by command.

The registry notifies the client at once, and the client stops on the notification. What it does before that can have
arrived is excused: for the time that one message takes over a healthy link to a process that is not suspended.
"""

from engine.simulation.history import History, JournalEvent


class Jumps:
    """The consumers with a session expired by command that may not be notified yet, folded from the journal."""

    def __init__(self, history: History) -> None:
        self._hop_us = history.registry_hop_us
        self._commanded = {
            (operation.at_us, operation.fields["client"])
            for operation in history.operations
            if operation.fields["command"] == "expire_session" and not operation.refusal
        }
        self._jumped_us: dict[str, int] = {}
        self._faulty_links: set[str] = set()
        self._frozen_until_us: dict[str, int] = {}
        self._unnotified: set[str] = set()

    def take(self, event: JournalEvent) -> None:
        """Fold an event; most change nothing here."""
        match event["event"]:
            case "session_expired" if (event["at_us"], event["client"]) in self._commanded:
                self._jump(event["client"], event["at_us"])
            case "session_opened":
                self._jumped_us.pop(event["client"], None)
                self._unnotified.discard(event["client"])
            case "link_changed" if "registry" in (event["one"], event["other"]):
                client = event["one"] if event["other"] == "registry" else event["other"]
                if event["cut"] or event["loss_permille"] or event["delay_us"]:
                    self._faulty_links.add(client)
                    self._unnotified.update({client} & set(self._jumped_us))
                else:
                    self._faulty_links.discard(client)
            case "consumer_frozen":
                client = f"consumer:{event['group']}/{event['consumer']}"
                self._frozen_until_us[client] = event["until_us"]
                self._unnotified.update({client} & set(self._jumped_us))

    def _jump(self, client: str, at_us: int) -> None:
        self._jumped_us[client] = at_us
        if client in self._faulty_links or self._frozen_until_us.get(client, -1) > at_us:
            self._unnotified.add(client)

    def may_not_know(self, group: str, consumer: str, at_us: int) -> bool:
        """Return whether a consumer's session was expired by command and the notification may not have arrived."""
        client = f"consumer:{group}/{consumer}"
        if client not in self._jumped_us:
            return False
        return client in self._unnotified or at_us <= self._jumped_us[client] + self._hop_us
