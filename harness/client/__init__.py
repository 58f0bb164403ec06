"""Drive the application: a blocking client in the test's thread, and an async one in the test's loop."""
