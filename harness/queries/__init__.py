"""How many statements are allowed, and which were too many? Pure: statements in, counts and texts out."""
