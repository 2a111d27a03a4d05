"""The command line.

  modelyard-source git --url URL --to DIR [--revision R] [--path P] [--credentials DIR]    the files of one commit
  modelyard-source project --folder DIR --entry-point NAME --parameters FILE --to FILE     the command of an MLproject
  modelyard-source credential get                                                          git asks for a password

The exit code is 0, 1 for an error that the termination message names, or 2 for wrong arguments.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from modelyard_report import cut, report, say, that_fit

from modelyard_source.credentials import answer
from modelyard_source.errors import SourceError
from modelyard_source.project import read_entry_point, read_parameters
from modelyard_source.repository import Repository, folder_in


def run_git(arguments: argparse.Namespace, _: Mapping[str, str]) -> dict[str, object]:
    """Fetches the files; what the termination message says."""
    with tempfile.TemporaryDirectory(prefix="modelyard-source-") as scratch:
        deadline = time.monotonic() + arguments.timeout_seconds
        repository = Repository(arguments.url, arguments.credentials, Path(scratch), deadline)
        commit = repository.resolve(arguments.revision)
        say(f"{arguments.url}: {arguments.revision or 'the default branch'} is commit {commit}")
        repository.lay_out(commit, arguments.to)
    folder_in(arguments.to, arguments.path, commit)
    return {"revision": commit}


def run_project(arguments: argparse.Namespace, _: Mapping[str, str]) -> dict[str, object]:
    """Writes the entry point's command; what the termination message says."""
    given = read_parameters(arguments.parameters)
    entry_point = read_entry_point(arguments.folder, arguments.entry_point)
    command = entry_point.command_with(given, arguments.folder, arguments.runs_in or str(arguments.folder))
    arguments.to.write_text(command, "utf-8")
    return {"entryPoint": entry_point.name, "defaults": that_fit(entry_point.defaults(given))}


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The command line's values; exits with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="modelyard-source", description="Brings code into a pod's volume.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    git = commands.add_parser("git", help="fetch the files of one commit")
    git.add_argument("--url", required=True, help="https://…, http://… or ssh://…, without a password")
    git.add_argument("--revision", help="a branch, a tag or a whole commit (default: the default branch)")
    git.add_argument("--path", help="a folder that must be in it")
    git.add_argument("--credentials", type=Path, help="a folder with a Secret's keys as files")
    git.add_argument("--to", required=True, type=Path, help="a writable, empty folder")
    git.add_argument("--timeout-seconds", type=float, default=900.0, help="for everything (default: 900)")
    git.set_defaults(run=run_git)
    project = commands.add_parser("project", help="make the command of an MLproject file's entry point")
    project.add_argument("--folder", required=True, type=Path, help="where the MLproject file is")
    project.add_argument("--runs-in", help="where the same folder is when the command runs (default: there)")
    project.add_argument("--entry-point", default="main", help="(default: main)")
    project.add_argument("--parameters", required=True, type=Path, help="a JSON object of names and texts")
    project.add_argument("--to", required=True, type=Path, help="the file to write the command to")
    project.set_defaults(run=run_project)
    credential = commands.add_parser("credential", help="answer git's question for a password")
    credential.add_argument("action", choices=["get", "store", "erase"])
    return parser.parse_args(argv)


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    """Runs one command; its exit code."""
    arguments = parse_arguments(argv)
    if arguments.command == "credential":
        if arguments.action == "get":
            sys.stdout.write(answer(sys.stdin, environment))
        return 0
    started = time.monotonic()
    try:
        result = arguments.run(arguments, environment)
    except (SourceError, OSError) as error:
        reason = error.reason if isinstance(error, SourceError) else "VolumeUnusable"
        report({"reason": reason, "message": cut(str(error))}, environment)
        return 1
    report({**result, "seconds": round(time.monotonic() - started, 3)}, environment)
    return 0


if __name__ == "__main__":
    # The first process of a container ignores signals that nobody handles; there is nothing to tidy up.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    sys.exit(main(sys.argv[1:], os.environ))
