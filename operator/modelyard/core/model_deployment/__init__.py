"""What becomes of a ModelDeployment."""
