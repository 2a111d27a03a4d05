"""What users write: the kinds' models, their conditions, labels and names."""
