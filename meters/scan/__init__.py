"""Commissioning: finds the meters behind an address, and says by physics whether what they tell can be right."""
