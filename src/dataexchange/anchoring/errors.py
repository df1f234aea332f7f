"""What can go wrong with anchors, and the faults that a verifier names.

UnavailableError
├── RpcUnavailableError     no endpoint answered, or one answered nonsense; try again
├── LeaseTakenError         another worker holds the store
└── PayerError              the paying account cannot pay
IntegrityError
├── AnchorProofError        a receipt does not prove its anchor; carries an `AnchorFault`
├── ForkedLogError          the log contradicts what was signed or anchored
├── WrongContractError      the chain or the contract is not the one meant
└── KeyFileError            the key file is not safe to use
DataExchangeError
└── ContractRefusedError    the contract reverted; carries the name of its error
"""

from dataclasses import dataclass

from dataexchange.errors import DataExchangeError, IntegrityError, UnavailableError


class RpcUnavailableError(UnavailableError):
    """No answer came from the chain, or none that makes sense; nothing is known."""


class LeaseTakenError(UnavailableError):
    """Another worker holds this store: two workers would spend each other's nonces."""


class PayerError(UnavailableError):
    """The paying account cannot pay for the transaction."""


class ForkedLogError(IntegrityError):
    """The log contradicts a root that was signed or anchored. Nothing may be signed any more."""


class WrongContractError(IntegrityError):
    """The chain, or the contract at the address, is not the one that was meant."""


class KeyFileError(IntegrityError):
    """The key file is open to others, not a plain file, or holds no key."""


class ContractRefusedError(DataExchangeError):
    """The contract reverted."""

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
