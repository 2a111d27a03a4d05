"""Parameters on a real node: what the kubelet and the runtime make of every odd character."""

import pytest

from support.odd_parameters import ODD
from support.trainings import code, training_job
from support.yard import Yard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


SCRIPT = f"""
import json, os, sys
wanted = {ODD!r}
names = sorted(wanted)
assert json.load(open("/etc/modelyard/parameters.json")) == wanted, "the file"
assert {{name: os.environ["PARAM_" + name.upper()] for name in names}} == wanted, "the environment"
assert sys.argv[1:] == [wanted[name] for name in names] + ["$(PARAM_QUOTES)"], sys.argv
assert not os.path.exists("/tmp/owned")
"""


def test_every_value_arrives_as_it_was_written(yard: Yard) -> None:
    arguments = [f"$(PARAM_{name.upper()})" for name in sorted(ODD)]
    job = training_job(
        "odd",
        trainer={"args": [*arguments, "$$(PARAM_QUOTES)"]},
        parameters=[{"name": name, "value": value} for name, value in ODD.items()],
        retry={"limit": 0},
    )
    yard.apply([code("odd", SCRIPT), job])
    done = yard.wait("trainingjob", "odd", "Complete")
    assert done["status"]["attempts"][0]["reason"] == "Succeeded"
