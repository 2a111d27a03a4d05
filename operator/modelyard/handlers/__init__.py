"""Wiring: per kind, what wakes it, how it is observed and how its plan is carried out."""
