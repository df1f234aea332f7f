"""What an alert or an opinion is about: any aggregate that has an id of its own."""

from typing import Annotated

from pydantic import Field

Subject = Annotated[
    str,
    Field(
        pattern=r"^[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        description="The id of an aggregate of any kind: asset_…, valuation_…, claim_…",
    ),
]
