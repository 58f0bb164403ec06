"""What clients see of the pitfalls: as a rule, nothing."""
