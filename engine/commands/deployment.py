"""The commands on mirrors and loaders of the deployment pattern."""

from dataclasses import dataclass
from typing import Self

from engine.cluster.cluster import Cluster
from engine.commands.fields import Fields
from engine.errors import UnknownName, WrongState
from engine.ids import GroupId
from engine.pipeline.loader import Loader

ONLY_LOADER = ""
ONLY_MIRROR = GroupId("")


@dataclass(frozen=True, slots=True)
class LoaderCommand:
    """A command about one loader; its name may be left out where there is only one."""

    loader: str

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """``loader``, if not the first."""
        return cls(fields.text("loader", ONLY_LOADER))

    def find(self, cluster: Cluster) -> Loader:
        """Find the loader; raise :class:`UnknownName` if there is none of that name."""
        loaders = cluster.state.deployment.loaders
        name = self.loader or next(iter(loaders), ONLY_LOADER)
        if name not in loaders:
            known = ", ".join(loaders) or "none: this cluster has no warehouse"
            raise UnknownName(f"there is no loader {name[:60]!r}", f"known loaders: {known}", loader=name[:60])
        return loaders[name]


@dataclass(frozen=True, slots=True)
class SetMirror:
    """Switch acknowledgements on or off for the mirrors of a group; the only group need not be named."""

    group: str
    acknowledgement: str

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """``acknowledgement`` (``none``, ``broker``); ``group``, if not the first of mirrors."""
        return cls(fields.text("group", ONLY_MIRROR), fields.choice("acknowledgement", ("none", "broker")))

    def apply(self, cluster: Cluster) -> None:
        """Raise :class:`UnknownName` if there is no such group of mirrors."""
        mirrors = cluster.state.deployment.routes
        name = GroupId(self.group) if self.group else next(iter(mirrors), ONLY_MIRROR)
        if name not in mirrors:
            known = ", ".join(mirrors) or "none: this cluster has no mirrors"
            raise UnknownName(f"there is no mirror {name[:60]!r}", f"known mirrors: {known}", group=name[:60])
        cluster.deployer.change_mirrors(name, self.acknowledgement)


class CrashLoader(LoaderCommand):
    """Crash a loader; an open transaction is rolled back."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must be running."""
        loader = self.find(cluster)
        if not loader.alive:
            raise WrongState(f"{loader.name} is {loader.state}", "start it first", loader=loader.name)
        loader.crash()


class StartLoader(LoaderCommand):
    """Restart a loader; it starts from the warehouse's committed offsets."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must not be running."""
        loader = self.find(cluster)
        if loader.alive:
            raise WrongState(f"{loader.name} is running", "crash it first", loader=loader.name)
        loader.start()
