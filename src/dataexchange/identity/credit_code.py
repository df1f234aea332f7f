"""统一社会信用代码, the unified social credit code of GB 32100-2015."""

import re

from dataexchange.rules import RefusalCode

CREDIT_CODE_WRONG = RefusalCode(
    "party.credit_code_wrong",
    clause="GB 32100-2015",
    zh="统一社会信用代码 {code} 校验不通过",
    en="{code} is not a valid unified social credit code",
    remedy_zh="核对营业执照上的 18 位代码（不含 I、O、Z、S、V）。",
    remedy_en="Check the 18 characters on the licence (no I, O, Z, S, V).",
)

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)


def check_character(first_17: str) -> str:
    """Return the 18th character of a code: Σ value·3^i mod 31, taken from 31."""
    total = sum(_VALUE[character] * pow(3, place, 31) for place, character in enumerate(first_17))
    return _ALPHABET[-total % 31]


def require_credit_code(code: str) -> None:
    """Refuse unless `code` has the form and check character of GB 32100-2015."""
    if not _FORM.fullmatch(code) or check_character(code[:17]) != code[17]:
        raise CREDIT_CODE_WRONG(code=code)
