"""One test run: puts the rooms together. Knows every room below it; knows pytest only by the frozen settings."""
