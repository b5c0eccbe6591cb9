"""Counterfactual and verification: what was really saved."""
