"""The layers hold: who may import whom, and which words may not be said where.

The tables below *are* the architecture, in order: a module imports lower rungs, or lines above it in its own rung. A
file that stands in no table fails here, so that a new module gets its place by decision.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ENGINE = (
    (0, "numbers"),
    (0, "errors"),
    (0, "ids"),
    (0, "config"),
    (0, "values"),
    (0, "chance"),
    (0, "events.base"),
    (0, "events.writing"),
    (0, "events.whole"),
    (0, "events.producing"),
    (0, "events.consuming"),
    (0, "events.links"),
    (0, "events.simple_consuming"),
    (0, "events.deployment"),
    (0, "events.registry"),
    (0, "events.rebalancing"),
    (0, "events"),
    (0, "entries"),
    (0, "compression"),
    (0, "encoding"),
    (0, "message"),
    (0, "decoding"),
    (1, "storage.disk"),
    (1, "storage.segment_file"),
    (1, "storage.segment"),
    (1, "storage.limits"),
    (1, "storage.segments"),
    (1, "storage.recovery"),
    (1, "storage.offsets"),
    (1, "storage.retention"),
    (1, "storage.log"),
    (1, "storage.clean_shutdown"),
    (1, "storage.linger"),
    (1, "storage.troubled_disk"),
    (1, "storage"),
    (2, "chapters"),
    (2, "notable"),
    (2, "journal"),
    (2, "boundaries"),
    (2, "wall"),
    (2, "stamps"),
    (2, "traffic"),
    (2, "scheduler"),
    (3, "network"),
    (3, "registry.paths"),
    (3, "registry.tree"),
    (3, "registry.operations"),
    (3, "registry.server"),
    (3, "registry.session"),
    (3, "registry.client"),
    (3, "registry"),
    (4, "wire.faults"),
    (4, "wire.fields"),
    (4, "wire.requests"),
    (4, "wire.responses"),
    (4, "wire.frames"),
    (4, "wire"),
    (4, "protocol"),
    (4, "disk_queue"),
    (4, "log_keeper"),
    (4, "broker"),
    (5, "partitioner"),
    (5, "send_queue"),
    (5, "unacknowledged"),
    (5, "page_views"),
    (5, "producer"),
    (5, "assignment"),
    (5, "rebalance"),
    (5, "application"),
    (5, "fetcher"),
    (5, "simple_consumer"),
    (5, "stream"),
    (5, "membership"),
    (5, "bookmarks"),
    (5, "offset_reset"),
    (5, "consumer"),
    (5, "catching_up"),
    (5, "audit"),
    (5, "mirror_sending"),
    (5, "mirror"),
    (5, "warehouse"),
    (5, "loader"),
    (5, "auditor"),
    (6, "tally"),
    (6, "lag"),
    (6, "deployment"),
    (6, "parts"),
    (6, "progress"),
    (6, "snapshot"),
    (6, "facts"),
    (6, "invariants"),
    (6, "deploying"),
    (6, "cluster"),
    (6, "commands"),
    (6, "scenarios"),
    (7, "simulation.shape"),
    (7, "simulation.evidence"),
    (7, "simulation.acts"),
    (7, "simulation.pattern"),
    (7, "simulation.healing"),
    (7, "simulation.run"),
    (7, "simulation.checkers"),
    (7, "simulation.__main__"),
    (7, "simulation"),
)

WEBAPP = (
    (0, "paths"),
    (0, "settings"),
    (0, "errors"),
    (0, "files"),
    (0, "room_folders"),
    (0, "pacing"),
    (0, "growth"),
    (0, "patches"),
    (0, "answers"),
    (1, "room_record"),
    (1, "room_commands"),
    (1, "command_log"),
    (1, "timeline"),
    (1, "past_points"),
    (1, "past_chapters"),
    (1, "repeating"),
    (1, "restoring"),
    (1, "fates"),
    (1, "digests"),
    (1, "room"),
    (1, "data_directory"),
    (1, "quotas"),
    (1, "forks"),
    (1, "rooms"),
    (1, "pump"),
    (2, "feed.frames"),
    (2, "feed.pulls"),
    (2, "feed.connection"),
    (2, "feed.source"),
    (2, "feed.viewer"),
    (2, "feed.broadcaster"),
    (2, "feed"),
    (2, "services"),
    (2, "views.security"),
    (2, "views.as_sent"),
    (2, "views.assets"),
    (2, "views.compression"),
    (2, "views.inputs"),
    (2, "views.records"),
    (2, "views.outcomes"),
    (2, "views.context"),
    (2, "views.access"),
    (2, "views.labels"),
    (2, "views.faults"),
    (2, "views.journal"),
    (2, "views.pages"),
    (2, "views.segment_files"),
    (2, "views.downloads"),
    (2, "views.parties"),
    (2, "views.panels"),
    (2, "views.controls"),
    (2, "views.embed"),
    (2, "views.api"),
    (2, "views.feed"),
    (2, "views"),
    (3, ""),
    (3, "server"),
    (3, "tcp.settings"),
    (3, "tcp.faults"),
    (3, "tcp.wall_clock"),
    (3, "tcp.complaints"),
    (3, "tcp.data_folder"),
    (3, "tcp.partition_logs"),
    (3, "tcp.produce_run"),
    (3, "tcp.outbox"),
    (3, "tcp.connection"),
    (3, "tcp.handler"),
    (3, "tcp.server"),
    (3, "tcp.command"),
    (3, "tcp.link"),
    (3, "tcp.client"),
    (3, "tcp"),
    (3, "cli"),
    (3, "__main__"),
)

# Chance enters the engine in two places, with a seed; everybody else is handed a Random.
SEED_CHANCE = {"cluster", "simulation.run"}
# The command line of the simulation runs one seed a process; what it runs knows nothing of that.
SPREADS_SEEDS = "simulation.__main__"
NOT_IN_ENGINE = {
    "asyncio",
    "concurrent",
    "multiprocessing",
    "secrets",
    "select",
    "signal",
    "socket",
    "subprocess",
    "threading",
    "time",
    "uuid",
}

# static/js: which layers a layer may import, itself always included.
# --- Python ---------------------------------------------------------------------------------------------------------


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name inside it; the package itself is ''."""
    base = ROOT / package
    found = {}
    for file in sorted(base.rglob("*.py")):
        parts = list(file.relative_to(base).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = file
    return found


def imports(file: Path) -> Iterator[str]:
    """Every absolute dotted name that a file imports, type-checking blocks included."""
    for node in ast.walk(ast.parse(text(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the layer"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(file: Path, package: str, known: dict[str, Path]) -> set[str]:
    """The modules of ``package`` that a file imports: the longest part of each name that is a module."""
    found = set()
    for name in imports(file):
        first, *rest = name.split(".")
        if first == package:
            found.add(next(".".join(rest[:end]) for end in range(len(rest), -1, -1) if ".".join(rest[:end]) in known))
    return found


def place(table: tuple[tuple[int, str], ...], module: str) -> int:
    """The line of a module in its table, the longest named parent standing in for its children."""
    lines = [line for _, line in table]
    parts = module.split(".")
    for name in [".".join(parts[:end]) for end in range(len(parts), 0, -1)]:
        if name in lines:
            return lines.index(name)
    raise AssertionError(f"{module} has no place in the layers yet: give it a line in {Path(__file__).name}")


def out_of_order(package: str, table: tuple[tuple[int, str], ...]) -> list[str]:
    """Every import that goes up, as a sentence."""
    known = modules(package)
    faults = []
    for module, file in known.items():
        if not module and "" not in [line for _, line in table]:
            assert not list(imports(file)), f"{file} gathers nothing: import from the module that says it"
            continue
        here = place(table, module)
        for other in imported_modules(file, package, known) - {module}:
            there = place(table, other)
            if there > here or (there == here and not same_family(module, other)):
                faults.append(f"{package}.{module} (rung {table[here][0]}) imports {other} (rung {table[there][0]})")
    return faults


def same_family(module: str, other: str) -> bool:
    """Whether two modules share one line because they are parts of one package."""
    return module.partition(".")[0] == other.partition(".")[0]


def test_rungs_are_listed_in_order() -> None:
    for table in (ENGINE, WEBAPP):
        rungs = [rung for rung, _ in table]
        assert rungs == sorted(rungs)


@pytest.mark.parametrize(("package", "table"), [("engine", ENGINE), ("webapp", WEBAPP)])
def test_no_module_imports_upwards(package: str, table: tuple[tuple[int, str], ...]) -> None:
    assert modules(package), f"{package} has no modules"
    assert out_of_order(package, table) == []


@pytest.mark.parametrize(("package", "table"), [("engine", ENGINE), ("webapp", WEBAPP)])
def test_every_line_of_the_table_is_a_module(package: str, table: tuple[tuple[int, str], ...]) -> None:
    assert [line for _, line in table if line not in modules(package)] == []


def test_engine_uses_the_standard_library_only() -> None:
    foreign = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules("engine").values()
        for name in imports(file)
        if name.split(".")[0] not in {"engine", *sys.stdlib_module_names}
    }
    assert foreign == set()


def test_engine_has_no_threads_and_no_wall_clock() -> None:
    faults = [
        f"engine.{module} imports {name}"
        for module, file in modules("engine").items()
        for name in imports(file)
        if name.split(".")[0] in NOT_IN_ENGINE - ({"concurrent"} if module == SPREADS_SEEDS else set())
    ]
    assert faults == []


def test_engine_never_asks_what_time_it_is() -> None:
    """``datetime`` may write a virtual time out for people, but not read a real one."""
    faults = [
        f"engine.{module}:{node.lineno} asks for {node.attr}()"
        for module, file in modules("engine").items()
        for node in ast.walk(ast.parse(text(file)))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
    ]
    assert faults == []


def test_engine_knows_no_chance_but_seeded_generators_made_in_two_places() -> None:
    """``Random`` may be named anywhere as a type; the module's own shared generator nowhere."""
    faults = []
    for module, file in modules("engine").items():
        names = {name for name in imports(file) if name.split(".")[0] == "random"} - {"random.Random"}
        faults += [f"engine.{module} imports {name}" for name in names]
        for call in made_generators(file):
            if module not in SEED_CHANCE or not call.args:
                faults.append(f"engine.{module}:{call.lineno} makes a Random")
    assert faults == []


def made_generators(file: Path) -> Iterator[ast.Call]:
    """Every call of ``Random(...)`` in a file."""
    for node in ast.walk(ast.parse(text(file))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Random":
            yield node


def test_flask_stays_in_the_views_the_feed_and_the_application() -> None:
    faults = [
        f"webapp.{module} imports {name}"
        for module, file in modules("webapp").items()
        for name in imports(file)
        if name.split(".")[0] in {"flask", "flask_sock"} and WEBAPP[place(WEBAPP, module)][0] < 2
    ]
    assert faults == []
