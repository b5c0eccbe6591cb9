"""What any plan is held against: as-is, price and check, and the pure rules of tariff and roster. No PuLP."""
