"""The catalogue, and the stock that is reserved and released for orders."""
