"""Brings the code of a training into its pod. Runs as an init container; knows nothing of Kubernetes."""
