"""A kind."""
