"""Has the demo's MLflow tell the demo's operator of moved aliases (docs/mlflow.md): for measurements and tests."""

import json
import secrets

from tools.demo import install
from tools.demo.install import MLFLOW_NAMESPACE, RELEASE, SYSTEM_NAMESPACE
from tools.demo.place import Site
from tools.demo.screen import Screen
from tools.seldon_standin.install import Kubectl

OBJECT = "mlflow-webhook"
PORT = 8082
URL = f"http://{RELEASE}-webhook.{SYSTEM_NAMESPACE}.svc:{PORT}/mlflow"
# The key for webhooks' secrets is MLflow's own: it goes with the process, as here everything does with the pod.
_SETTINGS = {
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
}
_ASK = """
import json, sys, urllib.request as u
method, path, *body = sys.argv[1:]
url = "http://localhost:5000/api/2.0/mlflow/webhooks" + path
request = u.Request(url, body[0].encode() if body else None, {"Content-Type": "application/json"}, method=method)
print(u.urlopen(request, timeout=30).read().decode())
"""


def let_deliver(kubectl: Kubectl) -> None:
    """Lets MLflow deliver into the cluster; it starts anew and forgets everything. Raises KubectlError."""
    settings = [f"{name}={value}" for name, value in _SETTINGS.items()]
    kubectl.run("set", "env", "--namespace", MLFLOW_NAMESPACE, "deployment/mlflow", *settings)
    install.await_mlflow(kubectl)


def listen(site: Site, screen: Screen) -> None:
    """Has the installed operator receive deliveries; raises KubectlError, DemoError."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": OBJECT, "namespace": SYSTEM_NAMESPACE},
        "stringData": {"secret": secrets.token_hex(32)},
    }
    site.kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=json.dumps(manifest))
    install.install_operator(site, screen, {"webhook": {"enabled": True, "existingSecret": OBJECT, "port": PORT}})


def subscribe(kubectl: Kubectl) -> str:
    """Makes the webhook in MLflow; its id. Raises KubectlError."""
    where, form = ("--namespace", SYSTEM_NAMESPACE), "go-template={{.data.secret | base64decode}}"
    secret = kubectl.run("get", "secret", OBJECT, *where, "--output", form)
    events = [{"entity": "MODEL_VERSION_ALIAS", "action": action} for action in ("CREATED", "DELETED")]
    body = {"name": RELEASE, "url": URL, "secret": secret, "status": "ACTIVE", "events": events}
    return str(json.loads(_ask(kubectl, "POST", "", json.dumps(body)))["webhook"]["webhook_id"])


def unsubscribe(kubectl: Kubectl, identity: str) -> None:
    """Removes the webhook; raises KubectlError."""
    _ask(kubectl, "DELETE", f"/{identity}")


def _ask(kubectl: Kubectl, *arguments: str) -> str:
    return kubectl.run(
        "exec", "--namespace", MLFLOW_NAMESPACE, "deployment/mlflow", "--", "python3", "-c", _ASK, *arguments
    )
