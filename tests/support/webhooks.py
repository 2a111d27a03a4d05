"""What MLflow sends when an alias moves, and what somebody else might."""

import base64
import hashlib
import hmac
import json
import time

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
