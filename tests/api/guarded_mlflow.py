"""MLflow's own app for permissions, with three users."""

import secrets
from pathlib import Path
from typing import Any

import requests

from api.mlflow_server import MlflowServer
from support.tracking import Tracking

OPERATOR, ALICE, ADMIN = "operator", "alice", "admin"


class GuardedMlflow:
    """MLflow's own app for permissions: who makes something owns it, others may read it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.passwords = {name: secrets.token_hex(12) for name in (ADMIN, OPERATOR, ALICE)}
        config = folder / "basic_auth.ini"
        config.write_text(
            f"[mlflow]\ndefault_permission = READ\nadmin_username = {ADMIN}\n"
            f"database_uri = sqlite:///{folder}/auth.db\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            # Each password is looked at once a minute: looking takes a second of a slow machine's time.
            "auth_cache_ttl_seconds = 60\n"
        )
        self.server = MlflowServer(
            folder,
            "--app-name",
            "basic-auth",
            *options,
            MLFLOW_AUTH_CONFIG_PATH=str(config),
            MLFLOW_AUTH_ADMIN_PASSWORD=self.passwords[ADMIN],
            MLFLOW_FLASK_SERVER_SECRET_KEY=secrets.token_hex(16),
        )
        self.server.start()
        for name in (OPERATOR, ALICE):
            self._as_admin("2.0/mlflow/users/create", username=name, password=self.passwords[name])

    def as_user(self, name: str, workspace: str = "") -> Tracking:
        """What this user does and sees."""
        return Tracking(self.server.uri.replace("//", f"//{name}:{self.passwords[name]}@"), workspace)

    def let_edit(self, user: str, model: str) -> None:
        """Give the user the right to add versions to a registered model."""
        granted = {"resource_type": "registered_model", "resource_id": model, "permission": "EDIT"}
        self._as_admin("3.0/mlflow/users/permissions/grant", username=user, **granted)

    def give_role(self, user: str, workspace: str, permission: str) -> None:
        """Let the user use, or manage, everything in a workspace: by a role of that workspace."""
        made = self._as_admin("3.0/mlflow/roles/create", workspace=workspace, name=f"{user}-{permission}".lower())
        role = made["role"]["id"]
        granted = {"resource_type": "workspace", "resource_pattern": "*", "permission": permission}
        self._as_admin("3.0/mlflow/roles/permissions/add", role_id=role, **granted)
        self._as_admin("3.0/mlflow/roles/assign", role_id=role, username=user)

    def _as_admin(self, path: str, **body: object) -> Any:
        who = (ADMIN, self.passwords[ADMIN])
        answer = requests.post(f"{self.server.uri}/api/{path}", json=body, auth=who, timeout=60)
        assert answer.ok, answer.text
        return answer.json()
