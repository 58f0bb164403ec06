"""Pitfalls: for every rule an application that breaks it, and its corrected twin. See README.md."""
