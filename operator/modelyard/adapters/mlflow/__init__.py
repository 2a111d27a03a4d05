"""The parts of the MLflow gateway, split by idea; `adapters.mlflow_gateway` is their front door."""
