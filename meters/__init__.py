"""The wing of the wire: speaks meter protocols, returns Readings, derives nothing."""
