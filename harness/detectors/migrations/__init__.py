"""Models and migrations: H6xx."""
