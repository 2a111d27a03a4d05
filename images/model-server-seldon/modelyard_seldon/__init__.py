"""Serves an MLflow model over Seldon's own protocol, with Seldon's Python package."""
