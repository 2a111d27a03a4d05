"""A stand-in for the Seldon Core 1.17.1 manager, for machines where the real one cannot be installed."""
