"""Loads that are carried out once, each a file for locust."""
