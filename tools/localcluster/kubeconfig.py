"""Kubeconfig files, written as JSON (which is YAML)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.localcluster.certificates import KeyPair

NAME = "modelyard"


@dataclass(frozen=True)
class Endpoint:
    """Where an apiserver is and which authority signed its certificate."""

    url: str
    ca_file: Path


def certificate_user(pair: KeyPair) -> dict[str, str]:
    """The user entry of a kubeconfig that logs in with a certificate; the files' content is copied."""
    return {"client-certificate-data": _encoded(pair.certificate), "client-key-data": _encoded(pair.key)}


def token_user(token: str) -> dict[str, str]:
    """The user entry of a kubeconfig that logs in with a bearer token."""
    return {"token": token}


def write_kubeconfig(path: Path, endpoint: Endpoint, user: Mapping[str, str]) -> Path:
    """Writes a kubeconfig that only its owner can read."""
    cluster = {"server": endpoint.url, "certificate-authority-data": _encoded(endpoint.ca_file)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": dict(user)}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
