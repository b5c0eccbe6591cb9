"""The doors for files: outside formats ↔ model. Problem and plan JSON, readings, orders, runs."""
