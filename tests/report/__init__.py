"""The audit's report in a real browser: what it is filled with, and pictures of it for the documentation."""
