"""Measures a real installation: switches under load, canaries, and what a ModelDeployment adds to an answer's time."""
