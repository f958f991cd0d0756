"""Every event class by its wire name."""

from collections.abc import Mapping
from typing import Final

from engine.events import (
    cluster,
    consuming,
    network,
    pipeline,
    producing,
    rebalancing,
    registry,
    simple_consuming,
)
from engine.events.base import Event

_MODULES = (cluster, producing, network, consuming, rebalancing, registry, simple_consuming, pipeline)

EVENT_CLASSES: Final[Mapping[str, type[Event]]] = {
    declared.name: declared
    for module in _MODULES
    for declared in vars(module).values()
    if isinstance(declared, type) and issubclass(declared, Event) and declared is not Event
}
