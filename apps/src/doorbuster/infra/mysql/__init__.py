"""Transactions and reads on the MySQL group, and everything that they need: pools, the primary, tables, migrations."""
