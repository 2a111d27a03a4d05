"""What becomes of a TrainingJob."""
