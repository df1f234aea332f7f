"""The contract's check of signatures, on a real EVM, against public vectors."""

from hashlib import sha256

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3.contract import AsyncContract
from web3.exceptions import ContractCustomError

import wycheproof

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


async def is_accepted(harness: AsyncContract, message: bytes, value: bytes, key: bytes) -> bool:
    """Whether the contract takes r ‖ s with either v for the key's address."""
    address = to_checksum_address(keccak(key[1:])[12:])
    for v in (27, 28):
        call = harness.functions.requireSigner(
            sha256(message).digest(), value + bytes([v]), address
        )
        try:
            await call.call()
        except ContractCustomError:
            continue
        return True
    return False


def has_low_s(value: bytes) -> bool:
    return int.from_bytes(value[32:], "big") <= ORDER // 2


async def test_the_contract_meets_wycheproof_and_asks_for_a_low_s_besides(
    signer_harness: AsyncContract,
) -> None:
    wrong, valid, count = [], 0, 0
    for group, test in wycheproof.cases("ecdsa_secp256k1_sha256_p1363_test"):
        key = bytes.fromhex(group["publicKey"]["uncompressed"])
        value, message = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
        expected = test["result"] == "valid" and has_low_s(value)
        found = await is_accepted(signer_harness, message, value, key)
        count, valid = count + 1, valid + found
        if found is not expected:
            wrong.append((test["tcId"], test["comment"], found))
    assert count > 200
    assert valid > 50
    assert wrong == []
