"""What the anchor key signs: EIP-712 messages for roots and for its own replacement.

The domain binds a signature to one contract on one chain, `origin` to one log, `epoch` to one
reign of one key. The same messages are spelled in `contracts/src/CheckpointAnchor.sol`.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_keys.exceptions import BadSignature
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes

DOMAIN_NAME: Final = "dataexchange CheckpointAnchor"
DOMAIN_VERSION: Final = "1"
SIGNATURE_SIZE: Final = 65
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")
_ACCOUNT: Final = re.compile("eip155:([1-9][0-9]{0,15}):(0x[0-9a-fA-F]{40})")
_CHECKPOINT: Final = [
    {"name": "origin", "type": "bytes32"},
    {"name": "epoch", "type": "uint32"},
    {"name": "size", "type": "uint64"},
    {"name": "root", "type": "bytes32"},
]
_ROTATION: Final = [
    {"name": "origin", "type": "bytes32"},
    {"name": "epoch", "type": "uint32"},
    {"name": "newKey", "type": "address"},
]


@dataclass(frozen=True, slots=True)
class AnchorSite:
    """Where one log is anchored: the chain, the contract, and the log's origin."""

    chain_id: int
    contract: ChecksumAddress
    origin: str

    @classmethod
    def parse(cls, account: str, origin: str) -> "AnchorSite":
        """Return the site that a CAIP-10 account such as `eip155:1:0x…` names; else `ValueError`.

        An address in mixed case must bear its checksum (EIP-55).
        """
        matched = _ACCOUNT.fullmatch(account)
        if not matched:
            raise ValueError(f"{account!r} is not eip155:CHAIN:ADDRESS")
        return cls(int(matched[1]), read_address(matched[2]), origin)

    @property
    def account(self) -> str:
        """Chain and contract as a CAIP-10 account, e.g. `eip155:1:0x…`."""
        return f"eip155:{self.chain_id}:{self.contract}"

    @property
    def origin_hash(self) -> bytes:
        """SHA-256 of the origin, as the contract holds it."""
        return hash_origin(self.origin)


def read_address(text: str) -> ChecksumAddress:
    """Return the address that hex spells; `ValueError` where case and checksum (EIP-55) differ."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not an address")
    address = to_checksum_address(text)
    if text[2:] not in (address[2:], address[2:].lower()):
        raise ValueError(f"{text!r} does not bear its checksum (EIP-55)")
    return address


def hash_origin(origin: str) -> bytes:
    """Return the 32 bytes that stand for a log's origin line (C2SP tlog-checkpoint)."""
    return sha256(origin.encode()).digest()


def checkpoint_message(site: AnchorSite, *, epoch: int, size: int, root: bytes) -> SignableMessage:
    """Return the message that authorises `root` for `size` under the key of `epoch`."""
    values = {"origin": site.origin_hash, "epoch": epoch, "size": size, "root": root}
    return encode_typed_data(_domain(site), {"Checkpoint": _CHECKPOINT}, values)


def rotation_message(
    site: AnchorSite, *, next_epoch: int, new_key: ChecksumAddress
) -> SignableMessage:
    """Return the message that both keys sign so that `new_key` begins `next_epoch`."""
    values = {"origin": site.origin_hash, "epoch": next_epoch, "newKey": new_key}
    return encode_typed_data(_domain(site), {"KeyRotation": _ROTATION}, values)


def sign(message: SignableMessage, key: LocalAccount) -> HexBytes:
    """Return the 65-byte signature r ‖ s ‖ v; the same message gives the same bytes (RFC 6979)."""
    return HexBytes(key.sign_message(message).signature)


def recover(message: SignableMessage, signature: bytes) -> ChecksumAddress | None:
    """Return who signed, or None for anything that the contract would call malformed."""
    if len(signature) != SIGNATURE_SIZE or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        address: ChecksumAddress = Account.recover_message(message, signature=signature)
    except (BadSignature, ValidationError, ValueError):
        return None
    return address


def _domain(site: AnchorSite) -> dict[str, object]:
    return {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": site.chain_id,
        "verifyingContract": site.contract,
    }
