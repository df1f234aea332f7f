"""The double-entry book, in 分."""
