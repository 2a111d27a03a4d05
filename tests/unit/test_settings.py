"""The operator's environment: what it understands, and how it refuses what it does not."""

import json
from typing import Any

import pytest

from modelyard.core.pod_policy import NO_SETTINGS
from modelyard.core.workspaces import Workspaces
from modelyard.settings import Settings


def test_settings_for_pods_are_read_from_json() -> None:
    text = json.dumps({"nodeSelector": {"pool": "training"}, "maxResources": {"cpu": 8}})
    settings = Settings.from_environment({"MODELYARD_TRAINING_PODS": text})
    assert settings.training_pods.node_selector == {"pool": "training"}
    assert settings.training_pods.max_resources == {"cpu": 8}
    assert settings.serving_pods == NO_SETTINGS


@pytest.mark.parametrize("name", ["MODELYARD_TRAINING_PODS", "MODELYARD_SERVING_PODS"])
@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"maxResources": {"memory": "much"}}, "maxResources.memory: 'much' is not a quantity"),
        ({"tolerations": "all"}, "tolerations: "),
        ({"nodeSelectors": {}}, "nodeSelectors: "),
    ],
)
def test_a_wrong_setting_for_pods_is_named(name: str, value: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .*{named}"):
        Settings.from_environment({name: json.dumps(value)})


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(ValueError, match=r"^MODELYARD_TRAINING_PODS: Invalid JSON"):
        Settings.from_environment({"MODELYARD_TRAINING_PODS": "{"})


@pytest.mark.parametrize(
    ("ip", "port", "url"),
    [("10.0.0.7", "8082", "http://10.0.0.7:8082"), ("fd00::7", "8082", "http://[fd00::7]:8082"), ("10.0.0.7", "0", "")],
)
def test_where_deliveries_are_passed_on_to(ip: str, port: str, url: str) -> None:
    given = {"MODELYARD_POD_IP": ip, "MODELYARD_WEBHOOK_PORT": port}
    assert Settings.from_environment(given).webhook_url == url


@pytest.mark.parametrize(("text", "wanted"), [("true", True), ("false", False)])
def test_yes_and_no_are_read(text: str, wanted: bool) -> None:
    assert Settings.from_environment({"MODELYARD_RECORD_USER": text}).record_user is wanted


def test_what_is_neither_yes_nor_no_is_named() -> None:
    with pytest.raises(ValueError, match=r"^MODELYARD_RECORD_USER='1' is neither true nor false"):
        Settings.from_environment({"MODELYARD_RECORD_USER": "1"})


def test_workspaces_are_one_of_those_that_there_are() -> None:
    name = "MODELYARD_TRACKING_WORKSPACES"
    assert Settings.from_environment({}).tracking_workspaces is Workspaces.NONE
    assert Settings.from_environment({name: "PerNamespace"}).tracking_workspaces is Workspaces.PER_NAMESPACE
    with pytest.raises(ValueError, match=f"^{name}='pernamespace' is none of None, PerNamespace"):
        Settings.from_environment({name: "pernamespace"})


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"^MODELYARD_WORKERS='many' is not a valid int"):
        Settings.from_environment({"MODELYARD_WORKERS": "many"})
