"""A real Kubernetes node on this machine, built from Go modules, Debian packages and Python's standard library."""
