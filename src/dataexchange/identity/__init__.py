"""Parties, their roles and their keys, and the opening of the log."""
