"""Where the command line prints: results to standard output, the rest to standard error."""

from rich.console import Console

console = Console(soft_wrap=True)
error_console = Console(stderr=True, soft_wrap=True)
