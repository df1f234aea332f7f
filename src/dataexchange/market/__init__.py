"""Listing, licence, settlement, delivery, dispute, title."""
