"""Short Weierstrass curves in plain arithmetic: reading compressed points, and multiples.

Not in constant time. It reads public keys, derives the public key of an SM2 secret (which the
library does not) when a key file is opened, and makes the published vectors; signing is done by
libraries.
"""

from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + ax + b over a prime field with p = 3 mod 4, its base point and its prime order."""

    prime: int
    a: int
    b: int
    base: Point
    order: int

    def decompress(self, encoded: bytes) -> Point | None:
        """Return the point that `02`/`03` ‖ X encodes; `None` where there is none."""
        if len(encoded) != 33 or encoded[0] not in (2, 3):
            return None
        x = int.from_bytes(encoded[1:], "big")
        square = (x * x * x + self.a * x + self.b) % self.prime
        y = pow(square, (self.prime + 1) // 4, self.prime)
        if x >= self.prime or y * y % self.prime != square:
            return None
        return x, y if y & 1 == encoded[0] & 1 else self.prime - y

    def compress(self, point: Point | None) -> bytes:
        """Return the encoding of a point other than the one at infinity."""
        if point is None:
            raise ValueError("the point at infinity is no public key")
        return bytes([2 | point[1] & 1]) + point[0].to_bytes(32, "big")

    def add(self, left: Point | None, right: Point | None) -> Point | None:
        """Return the sum of two points; `None` is the point at infinity."""
        if left is None or right is None:
            return left if right is None else right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2 and (y1 + y2) % self.prime == 0:
            return None
        if left == right:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.prime)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.prime)
        x = (slope * slope - x1 - x2) % self.prime
        return x, (slope * (x1 - x) - y1) % self.prime

    def times(self, scalar: int, point: Point | None) -> Point | None:
        """Return `scalar` times `point`."""
        total: Point | None = None
        while scalar:
            if scalar & 1:
                total = self.add(total, point)
            point, scalar = self.add(point, point), scalar >> 1
        return total


SECP256K1 = Curve(  # SEC 2, section 2.4.1
    prime=2**256 - 2**32 - 977,
    a=0,
    b=7,
    base=(
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
    order=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
)
SM2 = Curve(  # GM/T 0003.5
    prime=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    a=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC,
    b=0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    base=(
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
    order=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
)
