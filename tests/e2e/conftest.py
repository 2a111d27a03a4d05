"""The local cluster with the operator, MLflow and the Seldon stand-in on it, installed as the demo installs them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from support.yard import RESTRICTED, Yard, forget_models
from tools.demo import story, webhooks
from tools.demo.place import Site, references
from tools.demo.screen import Screen
from tools.gateway import envoy
from tools.images.catalog import catalog
from tools.localcluster import cluster
from tools.localcluster.build import ensure_built
from tools.localcluster.paths import CHECKOUT, current_state
from tools.seldon_standin.install import Kubectl


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The cluster with everything installed; left up, because `make test` takes it down in the end."""
    cluster.up(cluster.Request("tests", take_over=os.environ.get("MODELYARD_TAKE_OVER") == "1"))
    subprocess.run([sys.executable, "-m", "tools.images", "load"], cwd=CHECKOUT, check=True)
    programs, kubeconfig = ensure_built(), current_state().kubeconfig
    site = Site(
        kubectl=Kubectl(str(programs / "kubectl"), str(kubeconfig)),
        helm=[str(programs / "helm"), "--kubeconfig", str(kubeconfig)],
        images=references(None),
        setup_hint="",
    )
    story.set_up(site, Screen())
    webhooks.let_deliver(site.kubectl)
    yield site
    cluster.release()


@pytest.fixture(scope="module")
def envoy_gateway(site: Site) -> Iterator[str]:
    """The address of a gateway that copies requests, as this machine reaches it; taken away without a trace."""
    image = catalog()["envoy-gateway"]
    subprocess.run([sys.executable, "-m", "tools.images", "load", image.name], cwd=CHECKOUT, check=True)
    envoy.install(site.kubectl, site.helm, image.reference)
    service = ["service", envoy.NAME, "--namespace", envoy.NAMESPACE]
    address = site.kubectl.run("get", *service, "--output", "jsonpath={.spec.clusterIP}")
    yield f"http://{address}:{envoy.PORT}"
    envoy.uninstall(site.kubectl, site.helm)
    left = site.kubectl.run("get", "crd,namespaces,gatewayclasses,clusterroles", "--output", "name").splitlines()
    assert not [name for name in left if "envoy" in name]


@pytest.fixture
def yard(site: Site, request: pytest.FixtureRequest) -> Iterator[Yard]:
    """A namespace of the test's own that enforces Pod Security `restricted`, and a registry without models."""
    forget_models(site.kubectl)
    name = f"e2e-{request.node.originalname.removeprefix('test_').replace('_', '-')[:40].strip('-')}-{os.getpid()}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
    site.kubectl.run("apply", "--filename", "-", stdin=json.dumps(manifest))
    yield Yard(site, name)
    site.kubectl.run("delete", "namespace", name, "--timeout=120s")
