"""Makes `factories` importable for the tests of the core."""
