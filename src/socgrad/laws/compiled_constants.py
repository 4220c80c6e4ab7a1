"""What a total says of hidden counts, a polynomial of the slope (`constants_table`): compiled."""

from socgrad.nuts.numba_on_disk import compiled

__all__ = ["constants_terms"]


@compiled
def constants_terms(coefficient, lo, hi, low, high, slope, out):  # type: ignore[no-untyped-def]
    """Add log C and its three derivatives by the slope to `out`, as `segments` has it.

    `coefficient[lo:hi]` are of Chebyshev polynomials between the slopes `low` and `high`.
    """
    half = 0.5 * (high - low)
    t = (slope - 0.5 * (low + high)) / half
    held = min(max(t, -1.0), 1.0)
    value = first = second = third = 0.0
    # Polynomials of two degrees, each with its derivatives.
    a0, a1, a2, a3 = 1.0, 0.0, 0.0, 0.0
    b0, b1, b2, b3 = held, 1.0, 0.0, 0.0
    for i in range(lo, hi):
        c = coefficient[i]
        value += c * a0
        first += c * a1
        second += c * a2
        third += c * a3
        n0 = 2.0 * held * b0 - a0
        n1 = 2.0 * b0 + 2.0 * held * b1 - a1
        n2 = 4.0 * b1 + 2.0 * held * b2 - a2
        n3 = 6.0 * b2 + 2.0 * held * b3 - a3
        a0, a1, a2, a3 = b0, b1, b2, b3
        b0, b1, b2, b3 = n0, n1, n2, n3
    if held != t:
        value += (t - held) * first
        second = third = 0.0
    out[0] += value
    out[2] += first / half
    out[5] += second / (half * half)
    out[9] += third / (half * half * half)
