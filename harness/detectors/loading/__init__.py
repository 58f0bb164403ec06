"""What is loaded, when, and whether it is still true: H5xx."""
