"""Stand for servers in unit tests; each passes the suite of tests/contracts that the adapter passes, too."""
