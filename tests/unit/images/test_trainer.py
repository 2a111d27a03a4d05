"""What Python imports before a script in the trainer images, run as the interpreter would."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.images.catalog import CHECKOUT, catalog

HOOKS = Path(CHECKOUT, "images/trainer")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "run-1"),
        ({"RANK": "0"}, "run-1"),
        ({"RANK": "1"}, "None"),
        ({"RANK": "11", "LOCAL_RANK": "0"}, "None"),
    ],
    ids=["alone", "first", "second", "first of another node"],
)
def test_only_the_process_of_rank_0_has_the_run(environment: dict[str, str], told: str) -> None:
    code = "import os, modelyard_rank; print(os.environ.get('MLFLOW_RUN_ID'))"
    given = {"MLFLOW_RUN_ID": "run-1", "PYTHONPATH": str(HOOKS)} | environment
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told


@pytest.mark.parametrize("name", ["trainer", "trainer-pytorch"])
@pytest.mark.parametrize("module", ["rank", "stop"])
def test_both_trainers_have_what_python_imports_before_a_script(name: str, module: str) -> None:
    files = {file.name: file for file in catalog()[name].files()}
    assert (CHECKOUT / files[f"modelyard_{module}.pth"]).read_text() == f"import modelyard_{module}\n"
    assert f"modelyard_{module}.py" in files
