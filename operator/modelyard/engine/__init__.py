"""Runs decisions: caches, work queue, leader election, resync, reconcile loop, metrics, probes. Knows no kind."""
