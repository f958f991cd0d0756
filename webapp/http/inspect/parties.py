"""The processes with an address in a room and their names on the stage, for forms in which one is selected."""

from collections.abc import Mapping
from typing import Any

from webapp.errors import InvalidRequest


def parties(state: Mapping[str, Any]) -> dict[str, str]:
    """Return every address of a state (docs/journal.md) with a name for people: those that ``set_link`` accepts."""
    deployment = state.get("deployment", {})
    mirrors = [one for one in state["consumers"].values() if one["group"] in deployment.get("mirrors", {})]
    return {
        "producer": "the producer",
        "registry": "the registry",
        **{one["registry"]: f"the registry of {name}" for name, one in deployment.get("datacenters", {}).items()},
        **{f"broker:{broker}": f"broker {broker}" for broker in state["brokers"]},
        **{f"consumer:{name}": one["consumer"] for name, one in state["consumers"].items()},
        **{_mirror(one): f"{one['consumer']}, its producing half" for one in mirrors},
        **{f"loader:{name}": f"the loader {name}" for name in deployment.get("loaders", {})},
        **{f"auditor:{tier}": f"the auditor of {tier}" for tier in deployment.get("auditors", {})},
    }


def _mirror(consumer: Mapping[str, Any]) -> str:
    return f"mirror:{consumer['group']}/{consumer['consumer']}"


def faults_of(state: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Return the contents of a party's fault panel: its name, the parties it has links to, and their faults now.

    Raises :class:`InvalidRequest` for an unknown address.
    """
    known = parties(state)
    if address not in known:
        raise InvalidRequest(f"no party has the address {address[:60]!r}", "open it from a card on the stage")
    kind = address.partition(":")[0]
    links = [(name.split(" | "), link) for name, link in state["links"].items()]
    return {
        "address": address,
        "kind": kind,
        "party": known[address],
        "others": {other: name for other, name in known.items() if other != address},
        "troubled": [
            (other, known.get(other, other), link)
            for ends, link in links
            if address in ends
            for other in [ends[1] if ends[0] == address else ends[0]]
        ],
        "has_session": kind in ("broker", "consumer", "mirror"),
    }
