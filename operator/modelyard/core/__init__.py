"""Decisions: pure functions from what was observed to a plan. No I/O, no clock, no client."""
