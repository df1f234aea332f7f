"""Triggers that refuse what a table of the log must never suffer, whoever asks."""


def guards(table: str, *operations: str, when: str = "") -> list[str]:
    """Return the statements that make `refuse_change` refuse `operations` on `table`.

    `when` limits a refusal to rows of which it is true. The triggers fire always, so that turning
    the session into a replica (`session_replication_role`) does not turn them off.
    """
    return [sql for operation in operations for sql in _guard(table, operation, when)]


def _guard(table: str, operation: str, when: str) -> tuple[str, str]:
    name = f"{table}_refuses_{operation}"
    each = "statement" if operation == "truncate" else "row"
    made = f"create trigger {name} before {operation} on {table} for each {each}"
    condition = f" when ({when})" if when else ""
    return (
        f"{made}{condition} execute function refuse_change()",
        f"alter table {table} enable always trigger {name}",
    )
