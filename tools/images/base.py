"""The file system below every image: a small Debian with Python, under the public image's name."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

from tools.localcluster.packages import run_logged
from tools.localcluster.progress import Steps

# What the Containerfiles build FROM. Elsewhere it is the public image; both have Python 3.11 as `python3`, with venv.
BASE_REFERENCE = "docker.io/library/python:3.11-slim-bookworm"
SUITE = "bookworm"
SUITES = {SUITE, f"{SUITE}-updates", f"{SUITE}-security"}
# usr-is-merged spares usrmerge, which would bring the whole of Perl.
PACKAGES = ("ca-certificates", "netbase", "python3", "python3-venv", "tzdata", "usr-is-merged")
HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
# The host's own settings for reaching its package mirror; the image gets none of them.
APT_SETTINGS = re.compile(
    r"^Acquire::(Check-Date|Check-Valid-Until|https?::(Proxy|CaInfo)[\w:.-]*) \"([^\"]+)\";$", re.MULTILINE
)
# Takes away what was needed for making it only. The mirror stays, for a person who installs more on top of the image;
# a name and password in its address do not.
TIDY = """\
rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/hostname "$1"/etc/resolv.conf
for list in "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*; do
  [ ! -f "$list" ] || sed -i -E 's#://[^/@[:space:]]*@#://#' "$list"
done
"""


def base_key() -> str:
    """Names a base by its recipe. The packages' versions are those of the day it is made."""
    return hashlib.sha256(repr((BASE_REFERENCE, SUITE, PACKAGES, LEFT_OUT, TIDY)).encode()).hexdigest()[:12]


def ensure_base(folder: Path, steps: Steps) -> Path:
    """The base's file system as a tar archive, made where it is missing."""
    archive = folder / f"base-{base_key()}.tar"
    if not archive.exists():
        unfinished = archive.with_suffix(".unfinished.tar")
        with steps.step("making the Debian base (half a minute)"):
            run_logged(bootstrap_command(unfinished), folder / "logs" / "base.log", TMPDIR=str(folder))
        unfinished.rename(archive)
    return archive


def bootstrap_command(archive: Path) -> list[str]:
    """The mmdebstrap command that makes the base from the host's own package sources."""
    leave_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(PACKAGES)}",
        f"--hook-dir={HOOKS}",
        *leave_out,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *[f"--aptopt={setting}" for setting in host_apt_settings()],
        f"--customize-hook={TIDY}",
        SUITE,
        str(archive),
        *[str(path) for path in host_sources(Path("/etc/apt"))],
    ]


def host_apt_settings() -> list[str]:
    """The host's proxies and what its mirror needs, as lines of an apt configuration."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    return [f'Acquire::{found[1]} "{found[3]}";' for found in APT_SETTINGS.finditer(dump)]


def host_sources(etc: Path) -> list[Path]:
    """The host's source lists that serve this Debian, so that its mirror is used; none where it is another system."""
    candidates = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    lists = [path for path in candidates if path.is_file() and path.suffix in (".list", ".sources")]
    suites = {path: debian_suites(path.read_text("utf-8", "replace")) for path in lists}
    complete = any(SUITE in names for names in suites.values())
    return [path for path, names in suites.items() if names] if complete else []


def debian_suites(sources: str) -> set[str]:
    """Which of this Debian's own suites a source list serves; none for somebody's extra packages."""
    lines = [line for line in sources.splitlines() if not line.lstrip().startswith("#")]
    # One entry a line, or a paragraph of fields.
    entries = [re.sub(r"\[[^]]*\]", "", line).split()[1:] for line in lines if re.match(r"deb\s", line)]
    fields = [line.split()[1:] for line in lines if re.match(r"(Suites|Components):", line)]
    words = {word for entry in (*entries, *fields) for word in entry}
    return words & SUITES if "main" in words else set()


def owner_is_root() -> bool:
    """Whether this process may make file systems."""
    return os.geteuid() == 0
