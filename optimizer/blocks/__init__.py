"""The rules of a plant, one block a file."""
