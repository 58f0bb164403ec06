"""The shop's own tests, as its author would write them: only fixtures that harness gives."""
