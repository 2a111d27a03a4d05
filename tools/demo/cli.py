"""The command line: `python3 -m tools.demo up|down|build`."""

import argparse
import sys
from collections.abc import Sequence

from tools.demo import story
from tools.demo.place import GivenPlace, LocalPlace, Place, build
from tools.demo.screen import Screen, StepFailed

LINES_KEPT = 5
LINE_LIMIT = 600


def main(argv: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    options = parse_arguments(argv)
    try:
        run(options, Screen())
    except StepFailed as failed:
        tell_failure(failed)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: `make demo` starts again, `make demo-down` undoes what was done", file=sys.stderr)
        return 130
    return 0


def run(options: argparse.Namespace, screen: Screen) -> None:
    """The command that was chosen; raises StepFailed."""
    if options.command == "build":
        build(screen)
    elif options.command == "up":
        story.up(chosen_place(options), screen)
    else:
        story.down(chosen_place(options), screen)


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line's values; exits with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.demo", description="Shows the whole chain on a cluster.")
    parser.add_argument("command", choices=["up", "down", "build"])
    parser.add_argument("--context", help="a cluster one already has (default: the local cluster)")
    parser.add_argument("--image-load", metavar="CMD", help="hands it an image; {archive} and {ref} are filled in")
    parser.add_argument("--registry", metavar="PREFIX", help="pushes the images there, for the cluster to pull")
    options = parser.parse_args(argv)
    if not options.context and (options.image_load or options.registry):
        parser.error("--image-load and --registry are for a cluster one already has: name it with --context")
    return options


def chosen_place(options: argparse.Namespace) -> Place:
    """Where to run."""
    if options.context:
        return GivenPlace(options.context, options.image_load, options.registry)
    return LocalPlace()


def tell_failure(failed: StepFailed) -> None:
    """Says on standard error what failed and what to look at."""
    print(f"\nThis step failed: {failed.title}", file=sys.stderr)
    # Programs that wait say the same again and again; what they say last is what ended them.
    print(*(f"  {line[:LINE_LIMIT]}" for line in failed.why.splitlines()[-LINES_KEPT:]), sep="\n", file=sys.stderr)
    if failed.look_at:
        print("What to look at:", *(f"  {line}" for line in failed.look_at if line), sep="\n", file=sys.stderr)
