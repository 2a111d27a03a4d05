"""What lets pip and apt reach their registries from this machine, lent to a build and taken back.

Many networks sit behind a proxy with an authority of its own. Inside a build nothing of that is known, so a folder with
pip's and apt's settings and the bundle is mounted over /mnt, which every base has: no trace of it stays in the image.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.images.base import host_apt_settings, host_sources

MOUNT = Path("/mnt")
PIP_FILE, APT_FILE, APT_LISTS = "pip.conf", "apt.conf", "sources.list.d"
BUNDLE_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
LENT = ("index-url", "extra-index-url", "trusted-host", "no-index", "proxy", "timeout", "default-timeout", "retries")
# Later ones win, as in pip.
SECTIONS = ("global", "install", ":env:")


@dataclass(frozen=True)
class Loan:
    """A folder that is mounted during a build, with further folders mounted inside it."""

    folder: Path
    mounts: tuple[tuple[Path, Path], ...]
    """Folders of the host and where they appear in the build."""

    def arguments(self) -> list[str]:
        """What buildah needs to be told."""
        volumes = [f"{host}:{inside}:ro" for host, inside in ((self.folder, MOUNT), *self.mounts)]
        volume_flags = [part for volume in volumes for part in ("--volume", volume)]
        files = {"PIP_CONFIG_FILE": MOUNT / PIP_FILE, "APT_CONFIG": MOUNT / APT_FILE}
        settings = [part for name, file in files.items() for part in ("--build-arg", f"{name}={file}")]
        return [*volume_flags, *settings]


def pip_settings() -> dict[str, str]:
    """The host's settings of pip, from its files and from the environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return parse_settings(listed)


def parse_settings(listed: str) -> dict[str, str]:
    """The answer of `pip config list` as one value per setting."""
    settings: dict[str, str] = {}
    for section in SECTIONS:
        for name, value in re.findall(rf"^{re.escape(section)}\.([\w-]+)=('.*'|\".*\")$", listed, re.MULTILINE):
            settings[name] = str(ast.literal_eval(value))
    return settings


def host_bundle(settings: Mapping[str, str], environment: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts; None where it has no bundle."""
    named = [settings.get("cert"), *[environment.get(name) for name in BUNDLE_VARIABLES], str(SYSTEM_BUNDLE)]
    return next((Path(name) for name in named if name and Path(name).is_file()), None)


def lend(folder: Path, settings: Mapping[str, str]) -> Loan:
    """Writes pip's settings into a folder of the host, ready to be mounted."""
    folder.mkdir(mode=0o700, parents=True)
    lines = [f"{name} = {indented(settings[name])}" for name in LENT if name in settings]
    for name, source in (("cert", host_bundle(settings, os.environ)), ("client-cert", settings.get("client-cert"))):
        if source:
            shutil.copyfile(source, folder / name)
            lines.append(f"{name} = {MOUNT / name}")
    links = settings.get("find-links", "").split()
    folders = {link: MOUNT / f"links-{number}" for number, link in enumerate(links) if Path(link).is_dir()}
    for inside in folders.values():
        (folder / inside.name).mkdir()
    if reachable := [str(folders.get(link, link)) for link in links if link in folders or "://" in link]:
        lines.append(f"find-links = {indented(' '.join(reachable))}")
    (folder / PIP_FILE).write_text("\n".join(["[global]", *lines, ""]), "utf-8")
    lend_apt(folder, host_apt_settings(), host_sources(Path("/etc/apt")))
    return Loan(folder, tuple((Path(link), inside) for link, inside in folders.items()))


def lend_apt(folder: Path, settings: Sequence[str], lists: Sequence[Path]) -> None:
    """Writes the host's way to Debian's packages; where it has none, the lists of the base count."""
    # A build's users are not those of a whole system: apt's own cannot always be become.
    lines = ['APT::Sandbox::User "root";', *settings]
    if lists:
        (folder / APT_LISTS).mkdir()
        for path in lists:
            shutil.copyfile(path, folder / APT_LISTS / path.name)
        lines += ['Dir::Etc::sourcelist "/dev/null";', f'Dir::Etc::sourceparts "{MOUNT / APT_LISTS}";']
    (folder / APT_FILE).write_text("\n".join([*lines, ""]), "utf-8")


def indented(value: str) -> str:
    """A value of several words, one a line, as pip's configuration files want them."""
    words = value.split()
    return words[0] if len(words) == 1 else "".join(f"\n    {word}" for word in words)


def leftovers(root: Path, loan: Loan) -> list[Path]:
    """What of a loan is still in a built image's file system: settings of pip, or copies of what was lent."""
    settings = (root / "etc/pip.conf", root / "root/.config/pip", root / "opt/venv/pip.conf")
    # An image made from nothing has no such folder.
    found = {path for path in settings if path.exists()} | set((root / MOUNT.relative_to("/")).glob("*"))
    lent = {path.stat().st_size: path.read_bytes() for path in loan.folder.iterdir() if path.is_file()}
    for start in ("opt", "root", "run", "tmp", "usr/local", "media"):
        files = [path for path in (root / start).rglob("*") if path.is_file() and not path.is_symlink()]
        found |= {path for path in files if lent.get(path.stat().st_size) == path.read_bytes()}
    return sorted(found)
