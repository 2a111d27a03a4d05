"""Decisions about Promotions."""
