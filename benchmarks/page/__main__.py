"""``python -m benchmarks page``: what the page costs. Needs the development tools and a Chromium, as the tests do."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.page.run import run
from tests.support.chromium import find_chromium

RESULTS = Path(__file__).parents[1] / "results" / "page.json"


def main(arguments: Sequence[str]) -> int:
    """Measure everything once, in a quarter of an hour: the hour of a flood is simulated before it is drawn."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks page", description=__doc__)
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the figures go")
    run(find_chromium(), parser.parse_args(arguments).output)
    return 0
