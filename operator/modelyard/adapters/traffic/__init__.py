"""What model servers answered: read from their own metrics, or asked of a Prometheus."""
