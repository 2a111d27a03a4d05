"""Other systems, each behind a Protocol that core defines."""
