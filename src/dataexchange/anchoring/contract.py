"""The compiled anchor contract, as committed in `artifact/`, and how to read what it says."""

import json
from functools import cache
from importlib import resources
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import (
    abi_to_signature,
    event_abi_to_log_topic,
    function_signature_to_4byte_selector,
)
from hexbytes import HexBytes

from dataexchange.anchoring.errors import ContractRefusedError

NAME: Final = "CheckpointAnchor"


@cache
def artifact() -> dict[str, Any]:
    """Return the committed artifact: ABI, bytecode, compiler and settings."""
    path = resources.files(__package__) / "artifact" / f"{NAME}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def abi() -> list[Any]:
    """Return the contract's ABI."""
    elements: list[Any] = artifact()["abi"]
    return elements


def bytecode() -> HexBytes:
    """Return the creation bytecode, without constructor arguments."""
    return HexBytes(artifact()["bytecode"])


def is_our_code(code: bytes) -> bool:
    """Whether deployed `code` is our contract's, whatever its immutable values."""
    expected = bytearray(HexBytes(artifact()["deployedBytecode"]))
    found = bytearray(code)
    if len(found) != len(expected):
        return False
    for spot in artifact()["immutableSpots"]:
        start, length = spot["start"], spot["length"]
        found[start : start + length] = expected[start : start + length]
    return found == expected


@cache
def anchored_topic() -> HexBytes:
    """Return topic 0 of the event `Anchored`."""
    (event,) = (item for item in abi() if item["type"] == "event" and item["name"] == "Anchored")
    return HexBytes(event_abi_to_log_topic(event))


def refusal(data: bytes) -> ContractRefusedError:
    """Return the error that revert data stands for; `unknown` where it is none of ours."""
    element = _errors().get(bytes(data[:4]))
    if element is None:
        return ContractRefusedError("unknown", (HexBytes(data).to_0x_hex(),) if data else ())
    types = [item["type"] for item in element["inputs"]]
    try:
        return ContractRefusedError(element["name"], decode(types, data[4:]))
    except DecodingError:
        return ContractRefusedError(element["name"])


@cache
def _errors() -> dict[bytes, Any]:
    errors = (item for item in abi() if item["type"] == "error")
    return {function_signature_to_4byte_selector(abi_to_signature(item)): item for item in errors}
