"""Loadstone's ground floor: what the business knows. It imports no wing (meters, optimizer, dashboard)."""
