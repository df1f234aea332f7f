"""Refusals that every room shares. A room's own stand next to the rules that use them."""

from dataexchange.errors import RefusalCode, RefusedError

__all__ = [
    "ALREADY_EXISTS",
    "EXPECTATION_FAILED",
    "EXPIRED",
    "FIGURE_OUT_OF_RANGE",
    "FROM_THE_FUTURE",
    "KEY_NOT_VALID",
    "MISMATCH",
    "NOT_A_PARTY_TO_IT",
    "NOT_FOUND",
    "NOT_SEALABLE",
    "PARTY_NOT_ACTIVE",
    "PAYLOAD_INVALID",
    "ROLE_MISSING",
    "SEALED_AND_PLAIN",
    "STATE_FULL",
    "UNKNOWN_EVENT",
    "WRONG_LOG",
    "WRONG_STATUS",
    "RefusalCode",
    "RefusedError",
]

FIGURE_OUT_OF_RANGE = RefusalCode(
    "figure.out_of_range",
    clause="ranges of amounts, ratios and chances, M17-M23",
    zh="超出取值范围：{range_zh}",
    en="Out of range: {range_en}",
)
UNKNOWN_EVENT = RefusalCode(
    "event.unknown",
    clause="docs/events.md",
    zh="没有事件类型 {event}",
    en="There is no event type {event}",
    remedy_zh="事件类型及版本见 docs/events.md。",
    remedy_en="docs/events.md lists event types and versions.",
    kind="malformed",
)
PAYLOAD_INVALID = RefusalCode(
    "event.payload_invalid",
    clause="api/events/",
    zh="{event} 的内容不合模式：{reason}",
    en="The payload does not fit {event}: {reason}",
    remedy_zh="按 api/events/ 中的 JSON Schema 修改所指字段。",
    remedy_en="Mend the named fields by the JSON Schema in api/events/.",
    kind="malformed",
)
NOT_SEALABLE = RefusalCode(
    "statement.not_sealable",
    clause="docs/events.md, sealable",
    zh="{event} 不能密封 {field}；可密封：{sealable}",
    en="{event} does not take {field} sealed; it takes: {sealable}",
    remedy_zh="可密封的名称见 docs/events.md。",
    remedy_en="docs/events.md names what an event takes sealed.",
    kind="malformed",
)
SEALED_AND_PLAIN = RefusalCode(
    "statement.sealed_and_plain",
    clause="docs/ledger-format.md, sealed fields",
    zh="{field} 既密封又以明文写出",
    en="{field} is given both sealed and plain",
    remedy_zh="密封的字段不要再写入内容。",
    remedy_en="Leave out of the payload what is sealed.",
    kind="malformed",
)
WRONG_LOG = RefusalCode(
    "statement.wrong_log",
    clause="docs/ledger-format.md, statement.log",
    zh="陈述写给 {named}，本账本是 {origin}",
    en="The statement names log {named}; this log is {origin}",
    remedy_zh="用本账本的名称重新签名。",
    remedy_en="Sign again, naming this log.",
    kind="malformed",
)
EXPIRED = RefusalCode(
    "statement.expired",
    clause="docs/ledger-format.md, not_after",
    zh="陈述已于 {not_after} 失效，或有效期超过上限",
    en="The statement is past its not_after, {not_after}, or asks for a longer life than allowed",
    remedy_zh="以新的 not_after 重新签名。",
    remedy_en="Sign again with a new not_after.",
    kind="conflict",
)
FROM_THE_FUTURE = RefusalCode(
    "statement.from_the_future",
    clause="docs/ledger-format.md, occurred_at",
    zh="occurred_at {occurred_at} 晚于账本时间",
    en="occurred_at {occurred_at} is later than the log's time",
    remedy_zh="校准时钟后重新签名。",
    remedy_en="Set the clock right and sign again.",
    kind="conflict",
)
PARTY_NOT_ACTIVE = RefusalCode(
    "party.not_active",
    clause="domain: parties 主体",
    zh="主体 {party} 当前不可操作（状态 {status}）",
    en="Party {party} may not act now (status {status})",
    remedy_zh="未入场的先申请并由运营机构核准；被暂停的先恢复。",
    remedy_en="Apply and be admitted by the operator, or be reinstated, first.",
    kind="forbidden",
)
KEY_NOT_VALID = RefusalCode(
    "key.not_valid",
    clause="domain: key.rotated / key.revoked",
    zh="密钥 {key} 不是主体 {party} 的有效密钥",
    en="Key {key} is not a valid key of party {party}",
    remedy_zh="使用当前有效的密钥签名。",
    remedy_en="Sign with a key that is valid now.",
    kind="forbidden",
)
ROLE_MISSING = RefusalCode(
    "role.missing",
    clause="docs/events.md, who may sign",
    zh="{event} 须由以下角色签署：{needed}",
    en="{event} must be signed by one of: {needed}",
    remedy_zh="由具备该角色的主体签署，或向运营机构申请该角色。",
    remedy_en="Have a party with the role sign, or apply to the operator for the role.",
    kind="forbidden",
)
NOT_A_PARTY_TO_IT = RefusalCode(
    "party.not_concerned",
    clause="docs/events.md, who may sign",
    zh="{actor} 不是 {subject} 的当事方（须为 {expected}）",
    en="{actor} is not the party to {subject} that may do this ({expected} is)",
    kind="forbidden",
)
EXPECTATION_FAILED = RefusalCode(
    "statement.expectation_failed",
    clause="docs/ledger-format.md, expects",
    zh="{key} 的序号是 {seq}，陈述期望 {expected}",
    en="{key} is at seq {seq}; the statement expects {expected}",
    remedy_zh="读取最新状态后重新决定。",
    remedy_en="Read the current state and decide again.",
    kind="conflict",
)
NOT_FOUND = RefusalCode(
    "aggregate.not_found",
    clause="docs/events.md",
    zh="没有 {key}",
    en="There is no {key}",
    remedy_zh="检查标识；先提交创建它的事件。",
    remedy_en="Check the id; submit the event that creates it first.",
    kind="missing",
)
ALREADY_EXISTS = RefusalCode(
    "aggregate.exists",
    clause="docs/events.md",
    zh="{key} 已存在",
    en="{key} exists already",
    remedy_zh="换一个新的 TypeID。",
    remedy_en="Choose a new TypeID.",
    kind="conflict",
)
WRONG_STATUS = RefusalCode(
    "aggregate.wrong_status",
    clause="domain: state machines",
    zh="{key} 的状态是 {status}，此事件要求 {needed}",
    en="{key} has status {status}; this event needs {needed}",
    remedy_zh="先完成前一步骤。",
    remedy_en="Complete the step before this one first.",
    kind="conflict",
)
MISMATCH = RefusalCode(
    "event.mismatch",
    clause="architecture: named sets are checked",
    zh="{what}：事件写的是 {named}，账本上是 {held}",
    en="{what}: the event names {named}, the ledger holds {held}",
    remedy_zh="按账本所载填写。",
    remedy_en="Name what the ledger holds.",
    kind="conflict",
)
STATE_FULL = RefusalCode(
    "aggregate.full",
    clause="architecture: state rows stay small",
    zh="{key} 的内容超过 {limit} 字节",
    en="{key} would exceed {limit} bytes",
    kind="rule",
)
