"""NumPy, imported when the first array is made: a service that starts needs none."""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Bits: TypeAlias = np.random.PCG64
    Floats: TypeAlias = NDArray[np.float64]
    Indices: TypeAlias = NDArray[np.intp]
    Truths: TypeAlias = NDArray[np.bool_]
    AnyArray: TypeAlias = NDArray[np.generic]
else:

    class _NumPy:
        def __getattr__(self, name: str) -> Any:
            import numpy as np

            return getattr(np, name)

    np = _NumPy()
    ArrayLike = Bits = Floats = Indices = Truths = AnyArray = Any

__all__ = ["AnyArray", "ArrayLike", "Bits", "Floats", "Indices", "Truths", "np"]
