"""Harness itself: H9xx."""
