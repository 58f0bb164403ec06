"""Synchronous and asynchronous code: H3xx."""
