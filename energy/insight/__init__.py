"""What meters tell about machines."""
