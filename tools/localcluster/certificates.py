"""A certificate authority and what it signs, by the openssl command."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tools.localcluster.errors import ClusterError

# A cluster is thrown away long before; short enough that a copied key does not stay a danger for ever.
VALID_DAYS = 365


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Identity:
    """Who a client certificate speaks for: Kubernetes reads the common name as user, organizations as groups."""

    user: str
    groups: tuple[str, ...] = ()


def subject(identity: Identity) -> str:
    """The subject in openssl's own notation, where a slash separates and a backslash escapes."""
    parts = [*(f"O={group}" for group in identity.groups), f"CN={identity.user}"]
    return "".join("/" + part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)


def alternative_names(hosts: Sequence[str]) -> str:
    """The subjectAltName for addresses and names."""
    return "subjectAltName=" + ",".join(f"IP:{host}" if _is_address(host) else f"DNS:{host}" for host in hosts)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Authority:
    """One certificate authority in one folder; certificates are made once and kept."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder = folder
        self._pair = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
        extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,digitalSignature"]
        self._issue(self._pair, f"/CN={name}", extensions, signer=())

    @property
    def certificate(self) -> Path:
        """What others trust."""
        return self._pair.certificate

    def server(self, name: str, hosts: Sequence[str]) -> KeyPair:
        """A certificate to serve with, and to be a client with among equals (etcd's peers)."""
        extensions = [alternative_names(hosts), "extendedKeyUsage=serverAuth,clientAuth"]
        return self._signed(f"{name}-server", f"/CN={name}", extensions)

    def client(self, name: str, identity: Identity) -> KeyPair:
        """A certificate to log in with."""
        return self._signed(f"{name}-client", subject(identity), ["extendedKeyUsage=clientAuth"])

    def _signed(self, name: str, subject_name: str, extensions: list[str]) -> KeyPair:
        pair = KeyPair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        common = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"]
        signer = ("-CA", str(self._pair.certificate), "-CAkey", str(self._pair.key))
        self._issue(pair, subject_name, common + extensions, signer)
        return pair

    def _issue(self, pair: KeyPair, subject_name: str, extensions: list[str], signer: tuple[str, ...]) -> None:
        if pair.certificate.exists() and pair.key.exists():
            return
        options = [argument for extension in extensions for argument in ("-addext", extension)]
        # `-config /dev/null`: Debian's default configuration adds extensions of its own.
        run_openssl(
            *("req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", str(VALID_DAYS), "-subj", subject_name, *signer, *options),
            *("-keyout", str(pair.key), "-out", str(pair.certificate)),
        )
        pair.key.chmod(0o600)


def signing_key(path: Path) -> Path:
    """The key that signs service account tokens, made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        run_openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(path))
        path.chmod(0o600)
    return path


def run_openssl(*arguments: str) -> None:
    """Runs openssl; raises ClusterError with what it said."""
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ClusterError("the openssl command is missing: install it (apt-get install openssl)") from None
    if done.returncode != 0:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
