"""Decisions about PromotionPolicies."""
