"""What a person can do to the deployment pattern beyond its brokers and consumers."""

from dataclasses import dataclass
from typing import Self

from engine.cluster import Cluster
from engine.commands.fields import Fields
from engine.errors import UnknownName, WrongState
from engine.loader import Loader

ONLY_LOADER = ""


@dataclass(frozen=True, slots=True)
class LoaderCommand:
    """A command about one loader; its name may be left out where there is only one."""

    loader: str

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """``loader``, if not the first."""
        return cls(fields.text("loader", ONLY_LOADER))

    def find(self, cluster: Cluster) -> Loader:
        """The loader meant; :class:`UnknownName`."""
        loaders = cluster.parts.deployment.loaders
        name = self.loader or next(iter(loaders), ONLY_LOADER)
        if name not in loaders:
            known = ", ".join(loaders) or "none: this cluster has no warehouse"
            raise UnknownName(f"there is no loader {name[:60]!r}", f"known loaders: {known}", loader=name[:60])
        return loaders[name]


class CrashLoader(LoaderCommand):
    """End a loader without warning; an open transaction is rolled back."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must run."""
        loader = self.find(cluster)
        if not loader.alive:
            raise WrongState(f"{loader.name} is {loader.state}", "start it first", loader=loader.name)
        loader.crash()


class StartLoader(LoaderCommand):
    """Let a loader run again; it begins at the warehouse's bookmarks."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must not run. A warehouse that cannot be opened is a ``StorageFailed``."""
        loader = self.find(cluster)
        if loader.alive:
            raise WrongState(f"{loader.name} runs", "crash it first", loader=loader.name)
        loader.start()
