"""What became of the orders, as their shoppers see it."""
