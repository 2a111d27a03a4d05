"""modelyard-source project: the command of an MLproject file, as MLflow makes it, and what a shell makes of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.projects._project_spec import load_project

from support.fetchers import python_path

ODD = ["it's", 'say "no"', "$(touch owned)", "`touch owned`", "; touch owned #", "a\ntouch owned", "ü 🚀", "", "--help"]
TYPED = """
name: digits
entry_points:
  main:
    parameters:
      depth: {type: int, default: 8}
      rate: {type: float, default: 0.1}
      data: path
      store: {type: uri, default: "s3://bucket/x"}
      note: {type: string, default: none}
    command: "python train.py --depth {depth} --rate {rate} --data {data} --store {store} --note {note}"
  quoted:
    parameters: {note: string}
    command: "python -c 'import sys; print(sys.argv)' \\"{note}\\""
  plain:
    parameters: {note: string}
    command: "printf '%s' {note}"
"""

Render = Callable[..., tuple[int, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    (made / "train.csv").touch()
    (made / "MLproject").write_text(TYPED)
    return made


@pytest.fixture
def render(folder: Path, tmp_path: Path) -> Render:
    """Runs the program as the init container does: the command, or what the termination message says."""

    def run(entry_point: str = "main", **values: str) -> tuple[int, Any]:
        (tmp_path / "parameters.json").write_text(json.dumps(values))
        log, made = tmp_path / "termination", tmp_path / "command"
        arguments = [f"--folder={folder}", f"--entry-point={entry_point}", "--runs-in=/workspace/ml"]
        arguments += [f"--parameters={tmp_path}/parameters.json", f"--to={made}"]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "modelyard_source", "project", *arguments],
            env={
                "PYTHONPATH": python_path("source-fetcher"),
                "PATH": os.environ["PATH"],
                "MODELYARD_TERMINATION_LOG": str(log),
            },
            check=False,
            capture_output=True,
        )
        return done.returncode, made.read_text() if done.returncode == 0 else json.loads(log.read_text())

    return run


def termination_message(tmp_path: Path) -> dict[str, Any]:
    text = (tmp_path / "termination").read_bytes()
    assert len(text) <= 4096, "Kubernetes keeps no more"
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_files_own_values_are_told_where_nobody_gave_others(render: Render, tmp_path: Path) -> None:
    render(data="train.csv", depth="3", seed="1")
    said = termination_message(tmp_path)
    assert said["entryPoint"] == "main"
    assert said["defaults"] == {"rate": "0.1", "store": "s3://bucket/x", "note": "none"}


def test_values_that_are_too_long_to_be_told_are_left_out(render: Render, folder: Path, tmp_path: Path) -> None:
    parameters = {"long": {"default": "ü" * 4000}, "short": {"default": "1"}}
    project = {"entry_points": {"main": {"parameters": parameters, "command": "true"}}}
    (folder / "MLproject").write_text(json.dumps(project))
    assert render()[0] == 0
    assert termination_message(tmp_path)["defaults"] == {"short": "1"}


def test_defaults_values_and_further_parameters_become_the_command(render: Render) -> None:
    code, command = render(data="train.csv", depth="3", seed="1 2")
    assert code == 0
    assert command == (
        "python train.py --depth 3 --rate 0.1 --data /workspace/ml/train.csv --store s3://bucket/x --note none "
        "--seed '1 2'"
    )


@pytest.mark.parametrize("note", ODD)
def test_the_command_is_the_one_that_mlflow_makes(render: Render, folder: Path, note: str) -> None:
    values = {"data": "/data/x", "note": note, "more": note}
    wanted = load_project(str(folder)).get_entry_point("main").compute_command(values, None)
    assert render(**values) == (0, wanted)


@pytest.mark.parametrize("note", ODD)
def test_a_shell_reads_a_value_as_one_word_and_runs_none_of_it(render: Render, note: str, tmp_path: Path) -> None:
    code, command = render("plain", note=note)
    assert code == 0
    said = subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert said == note
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "command",
    [
        'echo "{note}"',
        "echo '{note}'",
        "echo `echo {note}`",
        "cat <<END\n{note}\nEND",
        "echo x # {note}",
        "echo $(( {note} ))",
        "[[ {note} -eq 1 ]]",
        "eval echo {note}",
        "echo \\{note}",
        "echo $'{note}'",
    ],
)
def test_a_value_that_needs_quotes_is_refused_where_quotes_do_not_help(
    render: Render, folder: Path, command: str
) -> None:
    project = {"entry_points": {"main": {"parameters": {"note": "string"}, "command": command}}}
    (folder / "MLproject").write_text(json.dumps(project))
    code, said = render(note="$(touch owned)")
    assert (code, said["reason"]) == (1, "ProjectInvalid")
    assert said["message"].startswith("spec.parameters: note has characters that need quotes")
    assert render(note="harmless")[0] == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "spec.parameters: the MLproject's entry point main needs data (path): add it"),
        ({"data": "none.csv"}, "spec.parameters: data is 'none.csv', but the MLproject file wants a path"),
        ({"data": "s3://a/b"}, "spec.parameters: data is 's3://a/b', but the MLproject file wants a path"),
        (
            {"data": "/x", "rate": "much"},
            "spec.parameters: rate is 'much', but the MLproject file wants a number (float)",
        ),
        ({"data": "/x", "rate": "1_0"}, "spec.parameters: rate is '1_0', but"),
        (
            {"data": "/x", "depth": "1.5"},
            "spec.parameters: depth is '1.5', but the MLproject file wants a whole number",
        ),
        ({"data": "/x", "store": "here"}, "spec.parameters: store is 'here', but the MLproject file wants a URI"),
    ],
)
def test_a_value_of_another_type_is_named(render: Render, values: dict[str, str], message: str) -> None:
    code, said = render(**values)
    assert (code, said["reason"]) == (1, "ProjectInvalid")
    assert said["message"].startswith(message)


@pytest.mark.parametrize("rate", ["1", "-1e-3", "nan", "inf", ".5"])
def test_what_is_a_number_passes(render: Render, rate: str) -> None:
    assert render(data="/x", rate=rate)[0] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "MLproject: the file is not YAML"),
        ("- a", "MLproject: the file must be a mapping"),
        (
            "entry_points: {other: {command: x}}",
            "spec.mlproject.entryPoint: the MLproject file has no entry point main; it has: other",
        ),
        ("entry_points: {main: {}}", "MLproject: the entry point main has no command"),
        ("entry_points: {main: {command: 'x {y}'}}", "MLproject: the command uses {y}, which is no parameter"),
        ("entry_points: {main: {command: 'x {', parameters: {}}}", "MLproject: the command has a brace"),
        ("entry_points: {main: {command: 'x {y.z}', parameters: {y: string}}}", "MLproject: the command uses {y.z}"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(render: Render, folder: Path, text: str, message: str) -> None:
    (folder / "MLproject").write_text(text)
    code, said = render(y="1")
    assert (code, said["reason"]) == (1, "ProjectInvalid")
    assert said["message"].startswith(message)


def test_a_source_without_the_file_is_named(render: Render, folder: Path) -> None:
    (folder / "MLproject").unlink()
    assert render()[1]["message"].startswith("spec.mlproject: the source has no file MLproject")
