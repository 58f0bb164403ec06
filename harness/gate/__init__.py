"""Which findings count: selection, what the user has accepted, and what is the same finding met twice."""
