"""Where a figure was measured: interpreter, build, processor, file system, and how steady the machine was."""

import os
import platform
import sqlite3
import sys
import sysconfig
import time
import zlib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CALIBRATION_STEPS = 40_000
PEERS = ("lmdb", "rocksdict", "persist-queue", "diskcache")


def describe(directory: Path) -> dict[str, str]:
    """Everything that a reader needs to judge a figure measured with files in ``directory``."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "build": build(),
        "compiler": platform.python_compiler(),
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "file_system": file_system(directory),
        "sqlite": sqlite3.sqlite_version,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def versions() -> dict[str, str]:
    """The versions of the other stores' packages, as far as they are installed."""
    found = {}
    for name in PEERS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def build() -> str:
    """How the interpreter was optimized: it is worth 5 to 30 % on pure Python code."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    guided = "--enable-optimizations" in options
    linked = "--with-lto" in options
    return f"{'with' if guided else 'without'} PGO, {'with' if linked else 'without'} LTO"


def processor() -> str:
    """The processor's own name where the system tells it."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def file_system(directory: Path) -> str:
    """The type of the file system that holds ``directory``, by the longest mount point above it."""
    mounts = Path("/proc/mounts")
    if not mounts.is_file():
        return "unknown"
    best, kind = "", "unknown"
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, mounted_at, type_name, *_ = line.split()
        if directory.resolve().is_relative_to(mounted_at) and len(mounted_at) >= len(best):
            best, kind = mounted_at, type_name
    return kind


def calibrate() -> float:
    """Seconds that a fixed loop takes now; its spread over a run tells how far to trust the run."""
    began = time.perf_counter()
    total = 0
    for step in range(CALIBRATION_STEPS):
        total += step & 7
    taken = time.perf_counter() - began
    if total != CALIBRATION_STEPS // 8 * 28:
        sys.exit("this interpreter cannot add")
    return taken
