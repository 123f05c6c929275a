"""Suites that a port's fake and its real adapters pass alike. They run where a class derives from them."""
