"""Side-by-side measurements. Never part of a test: see README.md here for the method."""
