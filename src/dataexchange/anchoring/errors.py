"""What can go wrong with anchors, and the faults that a verifier names.

UnavailableError
├── RpcUnavailableError     no endpoint answered, or one answered nonsense; try again
├── SourceUnavailableError  the log shows no checkpoint or tiles that can be used now
├── LeaseTakenError         another worker holds the store
└── PayerError              the paying account cannot pay
IntegrityError
├── AnchorProofError        a receipt does not prove its anchor; carries an `AnchorFault`
├── ForkedLogError          the log contradicts what was signed or anchored
├── WrongContractError      the chain or the contract is not the one meant
└── KeyFileError            the key file holds no usable key
DataExchangeError
└── ContractRefusedError    the contract reverted; carries the name of its error
"""

from dataclasses import dataclass
from typing import ClassVar

from dataexchange.errors import DataExchangeError, IntegrityError, UnavailableError


class _BilingualError(DataExchangeError):
    """Says in Chinese what kind of error it is; its own text has the facts."""

    zh: ClassVar[str]

    def __str__(self) -> str:
        return f"{self.zh} / {super().__str__()}"


class RpcUnavailableError(_BilingualError, UnavailableError):
    """No answer came from the chain, or none that makes sense; nothing is known."""

    zh = "节点没有可用的应答"


class SourceUnavailableError(_BilingualError, UnavailableError):
    """The log's address does not answer, or shows nothing that meets the policy now."""

    zh = "账本地址没有可用的应答"


class LeaseTakenError(_BilingualError, UnavailableError):
    """Another worker holds this store: two workers would spend each other's nonces."""

    zh = "另一进程正在使用该目录"


class PayerError(_BilingualError, UnavailableError):
    """The paying account cannot pay for the transaction."""

    zh = "付款账户无法支付该交易"


class ForkedLogError(_BilingualError, IntegrityError):
    """The log contradicts a root that was signed or anchored. Nothing may be signed any more."""

    zh = "账本与已签署或已锚定的根矛盾，不再签署"


class WrongContractError(_BilingualError, IntegrityError):
    """The chain, or the contract at the address, is not the one that was meant."""

    zh = "链或合约并非所指"


class KeyFileError(IntegrityError):
    """The key file holds no key, or one that the passphrase does not open."""


class ContractRefusedError(_BilingualError):
    """The contract reverted."""

    zh = "合约拒绝"

    def __init__(self, name: str, arguments: tuple[object, ...] = ()) -> None:
        self.name = name
        self.arguments = arguments
        super().__init__(f"{name}({', '.join(map(str, arguments))})")


class AnchorProofError(IntegrityError):
    """A receipt that does not prove its anchor."""

    def __init__(self, fault: "AnchorFault", detail: str = "") -> None:
        self.fault = fault
        self.detail = detail
        super().__init__(self.en)

    @property
    def code(self) -> str:
        """The stable code, e.g. `anchor.signature`."""
        return self.fault.code

    @property
    def zh(self) -> str:
        """What is wrong, in Chinese."""
        return f"{self.fault.zh}（{self.detail}）" if self.detail else self.fault.zh

    @property
    def en(self) -> str:
        """What is wrong, in English."""
        return f"{self.fault.en} ({self.detail})" if self.detail else self.fault.en


@dataclass(frozen=True, slots=True)
class AnchorFault:
    """One way in which a receipt fails, with the number of the step of `verify` that finds it."""

    code: str
    step: int
    zh: str
    en: str

    def __call__(self, detail: str = "") -> AnchorProofError:
        """Return the error to raise, with the facts of this case."""
        return AnchorProofError(self, detail)
