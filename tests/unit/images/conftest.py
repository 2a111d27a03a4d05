"""A registry on loopback, and the fetcher as a function."""

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fetchers import python_path
from unit.images.fetching import MODEL, Fetch, Outcome, Registry, serve


@pytest.fixture
def registry() -> Iterator[Registry]:
    yield from serve(Registry(files={"MLmodel": MODEL, "model.skops": b"s" * 5000, "code/lib/a b.py": b"pass\n"}))


@pytest.fixture
def run_fetcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Runs the command line in this process: exit code and termination message."""
    for folder in python_path("model-fetcher").split(os.pathsep):
        monkeypatch.syspath_prepend(folder)
    from modelyard_fetch import server  # noqa: PLC0415 - found through the lines above
    from modelyard_fetch.__main__ import main  # noqa: PLC0415 - as above

    monkeypatch.setattr(server, "RETRY_DELAYS_SECONDS", (0.0, 0.0, 0.0, 0.0))
    log = tmp_path / "termination-log"

    def run(*argv: str, **environment: str) -> Outcome:
        code = main(list(argv), {"MODELYARD_TERMINATION_LOG": str(log), **environment})
        return Outcome(code, json.loads(log.read_text()) if log.exists() else {})

    return run


@pytest.fixture
def fetch(run_fetcher: Fetch, registry: Registry, tmp_path: Path) -> Fetch:
    """Fetches version 3 of the model digits into tmp_path/model."""

    def run(*extra: str, version: str = "3", **environment: str) -> Outcome:
        argv = ("model", "--name", "digits", "--version", version, "--to", str(tmp_path / "model"), *extra)
        return run_fetcher(*argv, **{"MLFLOW_TRACKING_URI": registry.base, **environment})

    return run


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that nobody vouches for, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*make, *names, "-keyout", str(file), "-out", str(file) + ".crt"], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def tls_registry(certificate: Path) -> Iterator[Registry]:
    """The same registry behind that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    registry = Registry(files={"MLmodel": MODEL})
    yield from serve(registry, context)
