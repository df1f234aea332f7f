"""Money in words 大写金额: the form in which a Chinese report states its conclusion.

Follows 《支付结算办法》 annex 1 (正确填写票据和结算凭证的基本规定).
"""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
AMOUNT_FEN_MAX = 10**18 - 1


def amount_in_words(amount_fen: int) -> str:
    """Return 分 (0 to 10^18 - 1) as 人民币…元…角…分, with 整 where no 分 follows.

    >>> amount_in_words(120023209)
    '人民币壹佰贰拾万零贰佰叁拾贰元零玖分'
    """
    if not 0 <= amount_fen <= AMOUNT_FEN_MAX:
        raise ValueError(f"{amount_fen} 分 is not an amount that is written in words")
    yuan, rest = divmod(amount_fen, 100)
    whole = f"{_whole(yuan)}元" if yuan or not rest else ""
    return f"人民币{whole}{_rest(rest, after_yuan=bool(yuan))}"


def _rest(fen: int, *, after_yuan: bool) -> str:
    jiao, last = divmod(fen, 10)
    if not fen:
        return "整"
    if not jiao:
        return ("零" if after_yuan else "") + f"{_DIGITS[last]}分"
    return f"{_DIGITS[jiao]}角" + (f"{_DIGITS[last]}分" if last else "整")


def _whole(yuan: int) -> str:
    if not yuan:
        return "零"
    words, gap = "", False
    for group in range(len(_GROUPS) - 1, -1, -1):
        four = yuan // 10_000**group % 10_000
        if not four:
            gap = gap or bool(words)
            continue
        if words and (gap or four < 1_000):
            words += "零"
        words += _four(four) + _GROUPS[group]
        gap = False
    return words


def _four(number: int) -> str:
    words, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            words += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit and bool(words)
    return words
