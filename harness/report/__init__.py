"""Telling: findings as text, files and pages, and which of them the user has accepted."""
