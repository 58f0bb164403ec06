"""How work is committed: H2xx."""
