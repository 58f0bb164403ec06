"""Connections, pools and engines: H4xx."""
