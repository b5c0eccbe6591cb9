"""The charts: one layered picture per page on one shared time axis, and small ones."""
