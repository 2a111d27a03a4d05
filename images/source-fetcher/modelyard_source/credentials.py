"""What a Secret's files say, handed to git and ssh without ever being in an argument or a log.

username, password     for https; `token` is another name for the password
ca.crt                 the authority of an https server that the public ones do not vouch for
ssh-privatekey         for ssh, together with
known_hosts            the server's own key, as `ssh-keyscan` prints it
"""

import shlex
import shutil
import sys
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path

from modelyard_source.errors import SourceError

FIELD = "spec.source.git.secretRef"
_FOLDER = "MODELYARD_CREDENTIALS"
_ORIGIN = "MODELYARD_CREDENTIALS_ORIGIN"
_ANY_USER = "git"
"""Servers that take a token want some name beside it, and do not look at it."""


def origin(url: str) -> str:
    """Scheme, host and port: what credentials are for."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def settings(url: str, folder: Path | None, scratch: Path) -> tuple[list[str], dict[str, str]]:
    """What git is told for this address: settings, and variables for the programs that it starts."""
    if folder is None:
        return [], {}
    if url.startswith("ssh://"):
        return [], {"GIT_SSH_COMMAND": ssh_command(folder, scratch)}
    authority = folder / "ca.crt"
    trust = [f"http.sslCAInfo={authority}"] if authority.is_file() else []
    helper = f"credential.helper=!{shlex.quote(sys.executable)} -P -m modelyard_source credential"
    return [*trust, helper], {_FOLDER: str(folder), _ORIGIN: origin(url)}


def ssh_command(folder: Path, scratch: Path) -> str:
    """The ssh with the Secret's key, for servers that the Secret knows; it asks nobody and reads no other settings."""
    for name in ("ssh-privatekey", "known_hosts"):
        if not (folder / name).is_file():
            raise SourceError(f"{FIELD}: the Secret has no key {name}, which ssh:// needs: add it")
    key = scratch / "key"
    shutil.copyfile(folder / "ssh-privatekey", key)
    key.chmod(0o600)
    options = ["BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ConnectTimeout=30"]
    options.append(f"UserKnownHostsFile={folder / 'known_hosts'}")
    return shlex.join(["ssh", "-F", "none", "-i", str(key), *(part for option in options for part in ("-o", option))])


def answer(asked: Iterable[str], environment: Mapping[str, str]) -> str:
    """What git's credential helper prints: something only for the address that the Secret is meant for."""
    wanted = dict(line.rstrip("\n").partition("=")[::2] for line in asked if line.strip())
    if f"{wanted.get('protocol')}://{wanted.get('host')}" != environment[_ORIGIN]:
        return ""
    folder = Path(environment[_FOLDER])
    password = _text(folder / "password") or _text(folder / "token")
    if not password:
        return ""
    return f"username={_text(folder / 'username') or _ANY_USER}\npassword={password}\n"


def _text(file: Path) -> str:
    """A key of the Secret without the line end that editors leave."""
    return file.read_text("utf-8").strip("\r\n") if file.is_file() else ""
