"""The one failure that no lease can cover: the registry's clock jumps for a client that lives.

The client is told at once, and stops at once. What it does before it can have heard is the jump's fault, not the
system's; it can hear when one message has had the time to arrive over a healthy wire to a process that is awake.
"""

from engine.simulation.evidence import Evidence, Told


class Jumps:
    """The consumers whose sessions were jumped away and who may not know yet, folded from the journal."""

    def __init__(self, evidence: Evidence) -> None:
        self._hop_us = evidence.registry_hop_us
        self._told = {
            (act.at_us, act.fields["client"])
            for act in evidence.acts
            if act.fields["command"] == "expire_session" and not act.refusal
        }
        self._jumped_us: dict[str, int] = {}
        self._troubled: set[str] = set()
        self._frozen_until_us: dict[str, int] = {}
        self._deaf: set[str] = set()

    def take(self, event: Told) -> None:
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
