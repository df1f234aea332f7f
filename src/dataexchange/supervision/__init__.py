"""Freeze orders, alerts, duties, indicators, quarterly evaluation."""
