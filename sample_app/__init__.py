"""A small shop: users, items and orders, served by blocking and by async routes."""
