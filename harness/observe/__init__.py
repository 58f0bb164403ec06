"""Facts: what the application did during a test, recorded by the only listeners of harness."""
