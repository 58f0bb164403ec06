"""Test data: factories of the user's own on the test's session, and factories made from mapped classes."""
