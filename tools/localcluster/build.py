"""The cluster's programs, compiled once per set of sources and shared by all checkouts of this user."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.localcluster.errors import ClusterError
from tools.localcluster.locks import exclusive
from tools.localcluster.packages import BUILD_PACKAGES, install_missing, run_logged
from tools.localcluster.paths import GO_MODULE, cache_root, cluster_cache
from tools.localcluster.progress import Steps
from tools.localcluster.toolchain import ensure_go

# As in go.mod.
KUBERNETES_VERSION = "1.37.2"
HELM_VERSION = "4.3.1"
# Measured: 8.1 GiB at the peak, 5 GiB once it is done.
NEEDED_GIB = 10
# The names the one binary `kube` is called by.
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet")
CONTAINERD = "github.com/containerd/containerd/v2/cmd/"


@dataclass(frozen=True)
class Compilation:
    """One call of the Go compiler, for the packages that share its settings."""

    title: str
    packages: tuple[str, ...]
    flags: tuple[str, ...] = ()
    cgo: str = "0"


COMPILATIONS = (
    Compilation("Kubernetes, etcd and CoreDNS (7 minutes on 2 cores)", ("./cmd/...",)),
    Compilation(
        "containerd and Helm (1 minute)",
        (*(CONTAINERD + name for name in ("containerd", "containerd-shim-runc-v2", "ctr")), "helm.sh/helm/v4/cmd/helm"),
    ),
    # seccomp profiles are applied by a C library.
    Compilation("runc", ("github.com/opencontainers/runc",), ("-tags=seccomp",), cgo="1"),
)


def linker_flags() -> str:
    """No symbols; and the version, which a build outside Kubernetes' repository would not know."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    stamps = [f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items()]
    helm = f"-X helm.sh/helm/v4/internal/version.version=v{HELM_VERSION}"
    return " ".join(["-s", "-w", *stamps, helm])


# Without debugging information the compiler is done a minute earlier.
COMPILER_FLAGS = ("-trimpath", "-mod=readonly", "-gcflags=all=-dwarf=false")
GO_FLAGS = (*COMPILER_FLAGS, f"-ldflags={linker_flags()}")


def source_hash() -> str:
    """Names a build by everything that goes into it."""
    digest = hashlib.sha256(repr((COMPILATIONS, GO_FLAGS)).encode())
    sources = [GO_MODULE / "go.mod", GO_MODULE / "go.sum", *sorted(GO_MODULE.rglob("*.go"))]
    for source in sources:
        digest.update(f"{source.relative_to(GO_MODULE)}\0".encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def programs_folder() -> Path:
    """Where the programs are once they are built: present means complete."""
    return cluster_cache() / f"bin-{source_hash()}"


def ensure_built() -> Path:
    """The folder of programs, built where it is missing. Interrupted builds leave nothing that looks complete."""
    folder = programs_folder()
    if folder.exists():
        return folder
    steps = Steps("build")
    with exclusive(cluster_cache() / "build.lock", steps, "waiting for another build of the same programs"):
        if not folder.exists():
            _build(folder, steps)
    return folder


def _build(folder: Path, steps: Steps) -> None:
    log = cluster_cache() / "logs" / f"{folder.name}.log"
    steps.say(f"building Kubernetes {KUBERNETES_VERSION} from its sources, once; details in {log}")
    check_disk(cluster_cache(), NEEDED_GIB, "to build Kubernetes")
    install_missing(BUILD_PACKAGES, log, steps)
    go = ensure_go(log, steps)
    for abandoned in cluster_cache().glob("unfinished-*"):
        shutil.rmtree(abandoned)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=cluster_cache()))
    programs, scratch = unfinished / "bin", unfinished / "scratch"
    programs.mkdir()
    scratch.mkdir()
    settings = {**go_environment(), "GOTMPDIR": str(scratch)}
    with steps.step("downloading Go modules"):
        run_logged([str(go), "-C", str(GO_MODULE), "mod", "download"], log, **settings)
    for compilation in COMPILATIONS:
        with steps.step(f"compiling {compilation.title}"):
            run_logged(compile_command(go, compilation, programs), log, **settings, CGO_ENABLED=compilation.cgo)
    for name in COMPONENTS:
        (programs / name).symlink_to("kube")
    programs.rename(folder)
    shutil.rmtree(unfinished)


def compile_command(go: Path, compilation: Compilation, output: Path) -> list[str]:
    """The `go build` command that leaves the packages' programs in a folder."""
    flags = [*GO_FLAGS, *compilation.flags, "-o", f"{output}/"]
    return [str(go), "-C", str(GO_MODULE), "build", *flags, *compilation.packages]


def go_environment() -> dict[str, str]:
    """Go's settings: caches of our own outside the module, and none of the user's flags."""
    caches = cache_root() / "go"
    return {
        "GOMODCACHE": str(caches / "mod"),
        "GOCACHE": str(caches / "build"),
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        # Memory is not what is scarce during a build: collecting garbage less often saves a minute.
        "GOGC": os.environ.get("GOGC", "400"),
    }


def check_disk(folder: Path, needed_gib: float, purpose: str) -> None:
    """Raises ClusterError where a folder's file system has less space."""
    folder.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(folder).free / 2**30
    if free_gib < needed_gib:
        raise ClusterError(
            f"{folder} has {free_gib:.1f} GiB free, {needed_gib:g} GiB are needed {purpose}: "
            "free some, or point MODELYARD_CACHE and MODELYARD_STATE to a larger disk"
        )
