"""Shows the whole chain on a cluster: training, registry, serving, a switch under traffic. Needs only Python itself."""
