"""What meters tell of machines."""
