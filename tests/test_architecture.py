"""The layers hold, and the engine uses nothing that would make a run more than a function of its inputs.

Which folder may import which is the table of layers in pyproject.toml, checked by import-linter. A folder without a
line there fails, so that the place of a new one is decided.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Random generators are made in these places, from a seed; everything else gets one as an argument.
SEED_CHANCE = {"cluster.cluster", "simulation.run"}
# A broker on a socket runs in real time; everything else in virtual time.
IN_REAL_TIME = "tcp"
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

# --- Python ---------------------------------------------------------------------------------------------------------


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def modules(package: str) -> dict[str, Path]:
    """Return every module of a package by its dotted name inside it; the package itself is ''."""
    base = ROOT / package
    found = {}
    for file in sorted(base.rglob("*.py")):
        parts = list(file.relative_to(base).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = file
    return found


def imports(file: Path) -> Iterator[str]:
    """Yield every absolute dotted name that a file imports, type-checking blocks included."""
    for node in ast.walk(ast.parse(text(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the layer"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def virtual_modules() -> dict[str, Path]:
    """Return the engine's modules whose runs are a function of their inputs."""
    return {name: file for name, file in modules("engine").items() if name.partition(".")[0] != IN_REAL_TIME}


def test_layers_import_downwards_only() -> None:
    """import-linter reads its contracts from pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
        for module, file in virtual_modules().items()
        for name in imports(file)
        if name.split(".")[0] in NOT_IN_ENGINE - ({"concurrent"} if module == SPREADS_SEEDS else set())
    ]
    assert faults == []


def test_engine_never_reads_the_current_time() -> None:
    """``datetime`` may write a virtual time out for people, but not read a real one."""
    faults = [
        f"engine.{module}:{node.lineno} asks for {node.attr}()"
        for module, file in virtual_modules().items()
        for node in ast.walk(ast.parse(text(file)))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
    ]
    assert faults == []


def test_engine_draws_only_from_seeded_generators_made_in_two_places() -> None:
    """``Random`` may be named anywhere as a type; the module's own shared generator nowhere."""
    faults = []
    for module, file in virtual_modules().items():
        names = {name for name in imports(file) if name.split(".")[0] == "random"} - {"random.Random"}
        faults += [f"engine.{module} imports {name}" for name in names]
        for call in made_generators(file):
            if module not in SEED_CHANCE or not call.args:
                faults.append(f"engine.{module}:{call.lineno} makes a Random")
    assert faults == []


def made_generators(file: Path) -> Iterator[ast.Call]:
    """Return every call of ``Random(...)`` in a file."""
    for node in ast.walk(ast.parse(text(file))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Random":
            yield node
