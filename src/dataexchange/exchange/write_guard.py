"""Whether the log may grow: not where somebody holds more of it, or another history of it.

Once closed it stays closed until the service is started again, on a database that is whole. The
operator may also have it wait, from the start, until somebody outside confirmed the log.
"""

import logging
from typing import Any

from dataexchange.errors import RefusalCode, RefusedError

LOG_BEHIND = RefusalCode(
    "exchange.log_behind",
    clause="docs/operator.md, restored backups",
    zh="本库的账本只有 {size} 条，而{source}已有 {known} 条：疑为恢复了旧备份，已停止写入",
    en="The log here has {size} entries while {source} has {known}: this looks like a restored"
    " backup, and nothing is written",
    remedy_zh="查询照常。运营机构须恢复不少于 {known} 条的数据库并重新启动；之后以同一标识重试。",
    remedy_en="Reads go on. The operator must restore a database of {known} entries or more and"
    " start again; then retry with the same id.",
    kind="busy",
)
LOG_FORKED = RefusalCode(
    "exchange.log_forked",
    clause="docs/operator.md, restored backups",
    zh="{source}所持的前 {known} 条与本库不同：账本出现分叉，已停止写入",
    en="The first {known} entries that {source} holds are not those here: the log is forked, and"
    " nothing is written",
    remedy_zh="查询照常。运营机构须查明哪一支为真，恢复该数据库并重新启动，并向监管机构报告。",
    remedy_en="Reads go on. The operator must find out which history is true, restore it, start"
    " again, and report to the regulator.",
    kind="busy",
)
LOG_UNCONFIRMED = RefusalCode(
    "exchange.log_unconfirmed",
    clause="docs/operator.md, restored backups",
    zh="启动后尚无外部机构（见证、已发布文件）确认本账本完整，暂不写入",
    en="Since the start nobody outside, witness or published file, has confirmed that this log is"
    " whole; nothing is written yet",
    remedy_zh="查询照常；稍后以同一标识重试。",
    remedy_en="Reads go on; try again shortly, with the same id.",
    kind="busy",
)
CODES = {code.code: code for code in (LOG_BEHIND, LOG_FORKED)}

_log = logging.getLogger(__name__)


class WriteGuard:
    """Open at first, or once confirmed; closed by whoever finds the log behind or forked."""

    def __init__(self, *, needs_confirmation: bool = False) -> None:
        self.needs_confirmation = needs_confirmation
        self.is_confirmed = False
        self._code: RefusalCode | None = None
        self._facts: dict[str, Any] = {}

    @property
    def found(self) -> tuple[str, dict[str, Any]] | None:
        """The code and the facts for which it was closed; `None` while open."""
        return (self._code.code, self._facts) if self._code is not None else None

    def close(self, code: RefusalCode, **facts: Any) -> None:
        """Refuse writes from now on; the first finding stands."""
        if self._code is None:
            self._code, self._facts = code, facts
            _log.critical("writes are refused: %s", code(**facts))

    def confirm(self) -> None:
        """Note that somebody outside holds a head that this log continues."""
        self.is_confirmed = True

    def close_behind(self, size: int, known: int) -> None:
        """Refuse writes: this process saw `known` entries, and the database has but `size` now."""
        self.close(LOG_BEHIND, source="this process 本进程", size=size, known=known)

    @property
    def refusal(self) -> RefusedError | None:
        """The refusal with which writes are answered; `None` while open."""
        if self._code is not None:
            return self._code(**self._facts)
        waiting = self.needs_confirmation and not self.is_confirmed
        return LOG_UNCONFIRMED() if waiting else None

    def require_open(self) -> None:
        """Raise the refusal where closed."""
        if (refusal := self.refusal) is not None:
            raise refusal
