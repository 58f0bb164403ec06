"""What harness costs, measured against what people would do without it; see README.md beside this file."""
