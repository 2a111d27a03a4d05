"""Modelyard: train, promote and serve models on Kubernetes by applying YAML."""
