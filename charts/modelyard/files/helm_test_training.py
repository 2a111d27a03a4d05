"""What `helm test` trains: nothing, but a run in MLflow shows that it was here."""

import mlflow

with mlflow.start_run() as run:
    mlflow.log_metric("answer", 42)
print(f"logged a metric to run {run.info.run_id}")
