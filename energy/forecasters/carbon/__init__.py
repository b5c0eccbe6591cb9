"""What the carbon intensity of a grid is made of: production by source."""
