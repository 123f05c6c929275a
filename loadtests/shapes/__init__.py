"""How many orders a second come when."""
