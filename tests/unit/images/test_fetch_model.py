"""modelyard-fetch model: what arrives, and what each failure is called."""

import base64
import errno
import json
import os
from pathlib import Path

import pytest

from unit.images.fetching import Fetch, Registry

MLFLOW_OFF = '{"error_code": "PERMISSION_DENIED"}'


def contents(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop(".modelyard-fetch", None)
    return found


def test_every_file_arrives_under_its_path(fetch: Fetch, registry: Registry, tmp_path: Path) -> None:
    outcome = fetch()
    assert outcome.code == 0
    assert contents(tmp_path / "model") == registry.files
    assert outcome.message["files"] == 3
    assert outcome.message["bytes"] == sum(len(content) for content in registry.files.values())


def test_odd_characters_are_quoted_in_every_url(fetch: Fetch, registry: Registry) -> None:
    registry.files["code/100%?#&.txt"] = b"x"
    assert fetch().code == 0
    assert any(path.endswith("/code/100%25%3F%23%26.txt") for path in registry.paths)


def test_hostile_version_is_one_value_of_the_query(fetch: Fetch, registry: Registry) -> None:
    assert fetch(version="3&name=other#x").message["reason"] == "ModelNotFound"
    assert registry.paths[0].endswith("?name=digits&version=3%26name%3Dother%23x")


def test_unknown_version_is_not_found(fetch: Fetch) -> None:
    outcome = fetch(version="9")
    assert (outcome.code, outcome.message["reason"]) == (1, "ModelNotFound")
    assert "version 9 of model digits" in outcome.message["message"]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_passing_trouble_is_asked_again(fetch: Fetch, registry: Registry, code: int) -> None:
    registry.failures = [code, code]
    assert fetch().code == 0


def test_lasting_trouble_ends_as_registry_unavailable(fetch: Fetch, registry: Registry) -> None:
    registry.failures = [503] * 20
    outcome = fetch()
    assert outcome.message["reason"] == "RegistryUnavailable"
    assert len(registry.failures) == 15


def test_unreachable_server_is_registry_unavailable(fetch: Fetch) -> None:
    assert fetch(MLFLOW_TRACKING_URI="http://127.0.0.1:9").message["reason"] == "RegistryUnavailable"


@pytest.mark.parametrize("uri", ["", "file:///etc", "ftp://host", "http://", "http://[", "databricks"])
def test_only_web_addresses_are_tracking_servers(fetch: Fetch, uri: str) -> None:
    outcome = fetch(MLFLOW_TRACKING_URI=uri)
    assert outcome.message["reason"] == "RegistryUnavailable"
    assert repr(uri) in outcome.message["message"]


def test_transfer_cut_short_is_repeated_from_the_beginning(fetch: Fetch, registry: Registry, tmp_path: Path) -> None:
    registry.cut_after = {"model.skops": 100}
    assert fetch().code == 0
    assert contents(tmp_path / "model")["model.skops"] == b"s" * 5000


def test_file_of_another_size_than_listed_makes_the_model_incomplete(
    fetch: Fetch, registry: Registry, tmp_path: Path
) -> None:
    registry.listed_sizes = {"model.skops": 5001}
    outcome = fetch()
    assert outcome.message["reason"] == "ModelIncomplete"
    assert "model.skops has 5000 bytes, not the 5001" in outcome.message["message"]
    assert not (tmp_path / "model" / "MLmodel").exists()


def test_listed_file_that_is_missing_makes_the_model_incomplete(fetch: Fetch, registry: Registry) -> None:
    registry.listed_names = ["weights.bin"]
    outcome = fetch()
    assert outcome.message["reason"] == "ModelIncomplete"
    assert "weights.bin" in outcome.message["message"]


def test_folder_without_files_makes_the_model_incomplete(fetch: Fetch, registry: Registry) -> None:
    registry.files.clear()
    assert fetch().message["reason"] == "ModelIncomplete"


def test_missing_mlmodel_makes_the_model_incomplete(fetch: Fetch, registry: Registry) -> None:
    del registry.files["MLmodel"]
    assert fetch().message["reason"] == "ModelIncomplete"


@pytest.mark.parametrize("name", ["..", ".", "", "/etc/passwd", "a/../b", "a\\b", "a\nb", "\ud800", "x" * 256, None, 7])
def test_names_that_are_not_plain_are_refused(fetch: Fetch, registry: Registry, tmp_path: Path, name: object) -> None:
    registry.listed_names = [name]
    assert fetch().message["reason"] == "ModelIncomplete"
    assert contents(tmp_path / "model") == {}


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("s3://bucket/model", "UnsupportedArtifactStore"),
        ("/mnt/shared/model", "UnsupportedArtifactStore"),
        ("mlflow-artifacts://elsewhere.example/1/m", "UnsupportedArtifactStore"),
        ("mlflow-artifacts:/1/../../etc", "ModelIncomplete"),
        ("mlflow-artifacts:/", "ModelIncomplete"),
        ("mlflow-artifacts://[/x", "ModelIncomplete"),
    ],
)
def test_files_elsewhere_are_refused_by_name(fetch: Fetch, registry: Registry, uri: str, reason: str) -> None:
    registry.uri = uri
    outcome = fetch()
    assert outcome.message["reason"] == reason
    assert outcome.code == 1


def test_own_host_may_be_named_in_the_address_of_the_files(fetch: Fetch, registry: Registry) -> None:
    registry.uri = registry.uri.replace("mlflow-artifacts:/", "mlflow-artifacts://127.0.0.1/")
    assert fetch().code == 0


def test_model_without_python_function_has_the_wrong_flavour(fetch: Fetch, registry: Registry, tmp_path: Path) -> None:
    registry.files["MLmodel"] = b"flavors:\n  spark:\n    python_function: no\n  keras:\n    x: 1\nrun_id: r\n"
    outcome = fetch()
    assert outcome.message["reason"] == "WrongFlavour"
    assert "spark, keras" in outcome.message["message"]
    assert not (tmp_path / "model" / "MLmodel").exists()


def test_mlmodel_that_is_no_model_file_makes_the_model_incomplete(fetch: Fetch, registry: Registry) -> None:
    registry.files["MLmodel"] = b"<html>python_function</html>"
    assert fetch().message["reason"] == "ModelIncomplete"


@pytest.mark.parametrize(
    ("answer", "reason", "hint"),
    [
        ((401, "who?"), "AccessDenied", "credentials"),
        ((403, MLFLOW_OFF), "AccessDenied", "credentials"),
        ((403, "Invalid Host header - possible DNS rebinding"), "AccessDenied", "MLFLOW_SERVER_ALLOWED_HOSTS"),
        ((503, "disabled: running in `--no-serve-artifacts` mode"), "UnsupportedArtifactStore", "--serve-artifacts"),
        ((302, ""), "RegistryUnavailable", "redirects"),
        ((418, "teapot"), "RegistryUnavailable", "418"),
    ],
)
def test_refusals_are_told_apart_and_not_repeated(
    fetch: Fetch, registry: Registry, answer: tuple[int, str], reason: str, hint: str
) -> None:
    registry.always = answer
    outcome = fetch()
    assert outcome.message["reason"] == reason
    assert hint in outcome.message["message"]
    assert len(registry.paths) == 1


def test_a_workspace_that_is_missing_says_nothing_of_the_version(fetch: Fetch, registry: Registry) -> None:
    body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Workspace 'team' not found"}
    registry.always = 404, json.dumps(body)
    outcome = fetch(MLFLOW_WORKSPACE="team")
    assert (outcome.code, outcome.message["reason"]) == (1, "WorkspaceNotFound")
    assert "has no workspace of this namespace" in outcome.message["message"]


def test_user_and_password_are_sent_as_basic_authentication(fetch: Fetch, registry: Registry) -> None:
    fetch(MLFLOW_TRACKING_USERNAME="me", MLFLOW_TRACKING_PASSWORD="pä:ss", MLFLOW_WORKSPACE="team")
    assert registry.headers["Authorization"] == "Basic " + base64.b64encode("me:pä:ss".encode()).decode()
    assert registry.headers["X-MLFLOW-WORKSPACE".title()] == "team"


def test_user_in_the_address_is_sent_as_basic_authentication(fetch: Fetch, registry: Registry) -> None:
    fetch(MLFLOW_TRACKING_URI=registry.base.replace("//", "//me:p%40ss@"))
    assert registry.headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()


def test_token_is_sent_as_bearer(fetch: Fetch, registry: Registry) -> None:
    fetch(MLFLOW_TRACKING_TOKEN="t0ken")
    assert registry.headers["Authorization"] == "Bearer t0ken"


def test_secret_with_a_line_end_is_refused_and_not_repeated_in_the_message(fetch: Fetch) -> None:
    outcome = fetch(MLFLOW_TRACKING_TOKEN="t0ken\n")
    assert outcome.message["reason"] == "AccessDenied"
    assert "t0ken" not in outcome.message["message"]


def test_restarted_container_begins_with_an_empty_folder(fetch: Fetch, registry: Registry, tmp_path: Path) -> None:
    assert fetch().code == 0
    registry.files = {"MLmodel": registry.files["MLmodel"], "other.bin": b"o"}
    assert fetch().code == 0
    assert contents(tmp_path / "model") == registry.files


def test_foreign_files_are_not_removed(fetch: Fetch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "precious").write_text("mine")
    assert fetch().code == 2
    assert contents(tmp_path / "model") == {"precious": b"mine"}
    assert "precious" in capsys.readouterr().err


def test_model_larger_than_the_volume_is_refused_before_it_is_fetched(fetch: Fetch, registry: Registry) -> None:
    registry.listed_sizes = {"model.skops": 1 << 60}
    assert fetch().message["reason"] == "DiskFull"
    assert not any(path.endswith("model.skops") for path in registry.paths)


@pytest.mark.usefixtures("run_fetcher")
def test_volume_that_fills_up_while_writing_is_disk_full() -> None:
    from modelyard_fetch.volume import volume_error  # noqa: PLC0415 - found through run_fetcher

    assert volume_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))).reason == "DiskFull"
    assert volume_error(PermissionError(errno.EACCES, "no")).reason == "VolumeUnusable"


def test_file_and_folder_of_one_name_end_in_a_message(fetch: Fetch, registry: Registry) -> None:
    registry.listed_names = ["code"]
    assert fetch().code == 1


def test_time_for_the_whole_download_is_bounded(fetch: Fetch) -> None:
    outcome = fetch("--timeout-seconds", "0")
    assert outcome.message["reason"] == "RegistryUnavailable"
    assert "too slow" in outcome.message["message"]


def test_message_is_one_printable_line_of_at_most_a_kibibyte(fetch: Fetch, registry: Registry) -> None:
    registry.always = (403, "\x1b[31m" + "ü\n" * 4000)
    message = fetch().message["message"]
    assert len(message.encode()) <= 1024
    assert message.isprintable()


def test_folders_nested_without_end_are_refused(fetch: Fetch, registry: Registry) -> None:
    registry.files["/".join(["d"] * 40) + "/f"] = b"x"
    assert fetch().message["reason"] == "ModelIncomplete"


def test_unknown_certificate_is_refused_with_the_setting_that_makes_it_known(
    fetch: Fetch, tls_registry: Registry
) -> None:
    outcome = fetch(MLFLOW_TRACKING_URI=tls_registry.base)
    assert outcome.message["reason"] == "RegistryUnavailable"
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in outcome.message["message"]


def test_named_authority_is_trusted(fetch: Fetch, tls_registry: Registry, certificate: Path) -> None:
    outcome = fetch(MLFLOW_TRACKING_URI=tls_registry.base, MLFLOW_TRACKING_SERVER_CERT_PATH=f"{certificate}.crt")
    assert outcome.code == 0


def test_certificates_are_not_checked_where_the_owner_wants_it_so(fetch: Fetch, tls_registry: Registry) -> None:
    assert fetch(MLFLOW_TRACKING_URI=tls_registry.base, MLFLOW_TRACKING_INSECURE_TLS="true").code == 0


def test_authority_that_cannot_be_read_is_named(fetch: Fetch, tls_registry: Registry) -> None:
    outcome = fetch(MLFLOW_TRACKING_URI=tls_registry.base, MLFLOW_TRACKING_SERVER_CERT_PATH="/nowhere/ca.crt")
    assert "/nowhere/ca.crt" in outcome.message["message"]


def test_mlmodel_is_the_last_file_to_appear(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    rename = Path.rename

    def note(path: Path, target: Path) -> Path:
        moved.append(path.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", note)
    fetch()
    assert sorted(moved) == ["MLmodel", "code", "model.skops"]
    assert moved[-1] == "MLmodel"
