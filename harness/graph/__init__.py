"""The application as it would run in production: its real dependency tree and the source of its functions."""
