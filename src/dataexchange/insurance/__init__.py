"""Policies and claims 保险."""
