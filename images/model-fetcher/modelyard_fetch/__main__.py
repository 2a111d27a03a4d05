"""The command line.

  modelyard-fetch model --name NAME --version VERSION --to DIR     one model version, through MLflow's artifact service
  modelyard-fetch digest --name NAME --version VERSION             its digest: the files are read and not kept
  modelyard-fetch copy --from DIR --to DIR                         the files of a mounted ConfigMap, made writable

`model` and `digest` read the variables that MLflow's client reads: MLFLOW_TRACKING_URI, _USERNAME and _PASSWORD or
_TOKEN, _SERVER_CERT_PATH, _CLIENT_CERT_PATH, _INSECURE_TLS, and MLFLOW_WORKSPACE. The exit code is 0, 1 for an error
that the termination message names, or 2 for wrong arguments.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from modelyard_report import cut, report, say

from modelyard_fetch.digest import check_digest, digest, digest_of, hash_file, hash_remote
from modelyard_fetch.errors import FetchError, UsageError
from modelyard_fetch.model import MODEL_FILE, check_flavour, find_artifacts, list_model
from modelyard_fetch.server import Server
from modelyard_fetch.volume import check_space, copy_files, download_all, prepare, publish, volume_error


def run_model(arguments: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, object]:
    """Downloads the version and checks it; what the termination message says."""
    what = f"version {arguments.version} of model {arguments.name}"
    server = Server.from_environment(environment, time.monotonic() + arguments.timeout_seconds)
    partial = prepare(arguments.to)
    root = find_artifacts(server, arguments.name, arguments.version)
    files = list_model(server, root, what)
    say(f"{what}: {len(files)} files in mlflow-artifacts:/{root}")
    check_space(arguments.to, files)
    size = download_all(server, root, files, partial)
    if arguments.digest:
        check_digest(arguments.digest, digest_of({file.path: hash_file(partial / file.path) for file in files}), what)
    check_flavour(partial / MODEL_FILE, what)
    publish(partial, arguments.to)
    return {"files": len(files), "bytes": size}


def run_digest(arguments: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, object]:
    """Reads the version's files one after the other and hashes them; what the termination message says."""
    what = f"version {arguments.version} of model {arguments.name}"
    server = Server.from_environment(environment, time.monotonic() + arguments.timeout_seconds)
    root = find_artifacts(server, arguments.name, arguments.version)
    files = list_model(server, root, what)
    say(f"{what}: {len(files)} files in mlflow-artifacts:/{root}")
    hashes = {file.path: hash_remote(server, root, file) for file in files}
    return {"digest": digest_of(hashes), "files": len(files)}


def run_copy(arguments: argparse.Namespace, _: Mapping[str, str]) -> dict[str, object]:
    """Copies the files; what the termination message says."""
    count, size = copy_files(arguments.source, arguments.to)
    return {"files": count, "bytes": size}


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The command line's values; exits with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="modelyard-fetch", description="Brings files into a pod's volume.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    model = commands.add_parser("model", help="download one model version from MLflow")
    model.add_argument("--to", required=True, type=Path, help="an empty folder")
    model.add_argument("--digest", type=digest, help="what `digest` said of its files; others are refused")
    model.set_defaults(run=run_model)
    hashed = commands.add_parser("digest", help="tell the digest of one model version's files")
    hashed.set_defaults(run=run_digest)
    for command in (model, hashed):
        command.add_argument("--name", required=True, help="the registered model")
        command.add_argument("--version", required=True, help="its version, a number")
        command.add_argument("--timeout-seconds", type=float, default=3600.0, help="for all of it (default: 3600)")
    copy = commands.add_parser("copy", help="copy the files of a mounted ConfigMap")
    copy.add_argument("--from", required=True, type=Path, dest="source", help="where the ConfigMap is mounted")
    copy.add_argument("--to", required=True, type=Path, help="a writable folder")
    copy.set_defaults(run=run_copy)
    return parser.parse_args(argv)


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    """Runs one command; its exit code."""
    arguments = parse_arguments(argv)
    started = time.monotonic()
    try:
        result = arguments.run(arguments, environment)
    except UsageError as error:
        say(str(error))
        return 2
    except (FetchError, OSError) as error:
        failure = volume_error(error) if isinstance(error, OSError) else error
        report({"reason": failure.reason, "message": cut(str(failure))}, environment)
        return 1
    report({**result, "seconds": round(time.monotonic() - started, 3)}, environment)
    return 0


if __name__ == "__main__":
    # The first process of a container ignores signals that nobody handles; there is nothing to tidy up.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    sys.exit(main(sys.argv[1:], os.environ))
