"""The command line: `python3 -m tools.bench serving`."""

import argparse
import sys
from collections.abc import Sequence

from tools.bench import serving
from tools.demo.cli import tell_failure
from tools.demo.place import LocalPlace
from tools.demo.screen import Screen, StepFailed


def main(argv: Sequence[str]) -> int:
    """Runs one measurement; 0 where every figure holds, 1 where one does not or a step failed."""
    options = parse_arguments(argv)
    screen, place = Screen(), LocalPlace()
    try:
        figures = serving.run(place, screen, options)
    except StepFailed as failed:
        tell_failure(failed)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: `make demo-down` ends the cluster", file=sys.stderr)
        return 130
    place.leave()
    return 0 if all(figure.holds for figure in figures) else 1


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line's values; exits with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.bench", description="Measures on the local cluster.")
    parser.add_argument("what", choices=["serving"])
    parser.add_argument("--switches", type=_positive, default=100, help="how often versions are switched")
    parser.add_argument("--rate", type=_rate, default=20.0, help="requests a second to each target, at most 200")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{value} is not between 1 and 1000")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= 200:
        raise argparse.ArgumentTypeError(f"{value} is not above 0 and at most 200")
    return value
