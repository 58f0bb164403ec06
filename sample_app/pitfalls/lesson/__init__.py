"""The three mistakes that the lesson "SQLAlchemy setup with FastAPI" warns of, in its own words."""
