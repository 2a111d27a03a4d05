"""Leaves the MLflow run to the first of several processes.

torchrun hands its own environment to every process that it starts, and with it the run's id: two processes with one run
would end it twice and log every metric twice. modelyard_rank.pth has Python import this before the script.
"""

import os

if os.environ.get("RANK", "0") != "0":
    os.environ.pop("MLFLOW_RUN_ID", None)
