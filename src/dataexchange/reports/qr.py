"""A QR code of an address, as SVG."""

from io import BytesIO

from dataexchange.errors import DataExchangeError


class ReportsExtraError(DataExchangeError):
    """Reports need packages that the base does not install."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"缺少 {package}：请安装 dataexchange[reports]"
            f" / {package} is not installed: install dataexchange[reports]"
        )


def qr_svg(words: str) -> str:
    """Return the QR code (level M, four modules of quiet zone) of `words`."""
    try:
        import segno
    except ImportError as error:
        raise ReportsExtraError("segno") from error
    drawn = BytesIO()
    segno.make(words, error="m", micro=False, boost_error=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, nl=False, border=4, light="#ffffff"
    )
    return drawn.getvalue().decode()
