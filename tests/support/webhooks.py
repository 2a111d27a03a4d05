"""MLflow's webhooks: how one is made, what it sends when an alias moves, and what somebody else might."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import requests

SECRET = "correct horse battery staple"


def alias_event(model: str = "digits", alias: str = "champion", **more: object) -> dict[str, object]:
    """The payload of an alias that was set."""
    data = {"name": model, "alias": alias, "version": "2"}
    return {"entity": "model_version_alias", "action": "created", "timestamp": "now", "data": data} | more


def signed(
    body: object, secret: str = SECRET, identity: str = "delivery-1", timestamp: object = None
) -> tuple[dict[str, str], bytes]:
    """Headers and body, signed as MLflow does it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = str(int(time.time()) if timestamp is None else timestamp)
    mac = hmac.new(secret.encode(), f"{identity}.{sent}.".encode() + raw, hashlib.sha256).digest()
    headers = {
        "X-MLflow-Delivery-Id": identity,
        "X-MLflow-Timestamp": sent,
        "X-MLflow-Signature": "v1," + base64.b64encode(mac).decode(),
        "Content-Type": "application/json",
    }
    return headers, raw


def subscribe(uri: str, url: str, workspace: str = "") -> Callable[[], None]:
    """Make a webhook as docs/mlflow.md says; returns what removes it."""
    headers = {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
    events = [{"entity": "MODEL_VERSION_ALIAS", "action": action} for action in ("CREATED", "DELETED")]
    body = {"name": "modelyard", "url": url, "secret": SECRET, "status": "ACTIVE", "events": events}
    made = requests.post(f"{uri}/api/2.0/mlflow/webhooks", json=body, headers=headers, timeout=10)
    assert made.ok, made.text
    path = f"{uri}/api/2.0/mlflow/webhooks/{made.json()['webhook']['webhook_id']}"
    return lambda: requests.delete(path, headers=headers, timeout=10).raise_for_status()
