"""Pledge 质押, guarantee 担保, recovery."""
