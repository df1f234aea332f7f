"""Every event type with its roles and rule, gathered from the rooms, and the end of the log."""
