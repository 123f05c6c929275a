"""Load from outside: shoppers who order through the ingress, what they were told, and what became of it.

Nothing here imports the applications or the operator: a client knows what HTTP tells.
"""
