"""The same text again, and nearly the same: found out of core."""
