"""The curve of Ed25519 in plain arithmetic (RFC 8032, section 5.1), as an oracle for tests."""

import hashlib

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
_ROOT = pow(2, (PRIME - 1) // 4, PRIME)

Point = tuple[int, int]
ZERO: Point = (0, 1)


def decode(data: bytes) -> Point | None:
    """Return the point of a 32-byte encoding, canonical or not; `None` where there is none."""
    sign, y = data[31] >> 7, (int.from_bytes(data, "little") & (1 << 255) - 1) % PRIME
    square = (y * y - 1) * pow(_D * y * y + 1, PRIME - 2, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * _ROOT % PRIME
    if (x * x - square) % PRIME:
        return None
    return (PRIME - x if x & 1 != sign else x) % PRIME, y


def encode(point: Point) -> bytes:
    """Return the one canonical encoding of `point`."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(left: Point, right: Point) -> Point:
    """Return the sum of two points."""
    (x1, y1), (x2, y2) = left, right
    product = _D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, PRIME) % PRIME,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, PRIME) % PRIME,
    )


def times(scalar: int, point: Point) -> Point:
    """Return `scalar` times `point`."""
    total = ZERO
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


_BASE = decode((4 * pow(5, PRIME - 2, PRIME) % PRIME).to_bytes(32, "little"))
assert _BASE is not None
BASE: Point = _BASE


def small_order_point() -> Point:
    """Return a point of order 8, found by taking the subgroup's order of any point."""
    for y in range(2, 100):
        point = decode(y.to_bytes(32, "little"))
        if point is not None:
            found = times(ORDER, point)
            if times(4, found) != ZERO:
                return found
    raise AssertionError("half of all points have one")


def is_strictly_valid(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature meets the strict predicate, asking each of its conditions."""
    if len(key) != 32 or len(signature) != 64:
        return False
    points = [decode(key), decode(signature[:32])]
    scalar = int.from_bytes(signature[32:], "little")
    for point, encoded in zip(points, (key, signature[:32]), strict=True):
        if point is None or encode(point) != encoded or times(8, point) == ZERO:
            return False
    if scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    a, r = points
    assert a is not None
    assert r is not None
    return times(scalar, BASE) == add(r, times(k, a))
