"""Negative binomial counts: rows, single counts and totals, with derivatives: compiled.

With mean mu = exp(eta) and r the squared coefficient of variation of the gamma factor, a count y
enters by y eta, which is kept apart with other sums of events, by its gamma functions
(`compiled_gamma`), and by

    f = -(y + 1/r) log(1 + r mu),   x = r mu / (1 + r mu),
    f' = -(y + 1/r) x,   f'' = f' (1 - x),   f''' = f'' (1 - 2 x).
"""

from math import exp, log, log1p

from socgrad.laws.compiled_gamma import gamma_differences, log_gamma_ratio
from socgrad.nuts.numba_on_disk import compiled

__all__ = [
    "add_negative_binomial_total",
    "negative_binomial_count",
    "negative_binomial_scores",
    "negative_binomial_terms",
    "negative_binomial_total",
    "negative_binomial_total_scores",
    "squared_variation",
]

# A product of 1 + r mu beyond which its logarithm is taken.
_LARGE = 1e100


@compiled
def shares(eta, r):  # type: ignore[no-untyped-def]
    """R mu; x, and its two derivatives by eta."""
    scaled = r * exp(eta)
    below = 1.0 / (1.0 + scaled)
    x = scaled * below
    one = x * below
    return scaled, x, one, one * (1.0 - scaled) * below


@compiled
def negative_binomial_count(events, eta, r, deep, found):  # type: ignore[no-untyped-def]
    """One count, without its events times eta; Poisson where r is 0.

    As `coarsened.kernel_terms`: the value; derivatives by eta 1, 2, 3; by log r, with eta, with eta
    twice.
    """
    found[4] = found[5] = found[6] = 0.0
    if r <= 0.0:
        found[0] = found[1] = found[2] = found[3] = -exp(eta)
        return
    scaled, x, one, two = shares(eta, r)
    lost, size = log1p(scaled), events + 1.0 / r
    found[0] = -size * lost
    found[1] = -size * x
    found[2] = -size * one
    found[3] = -size * two
    if deep:
        found[4] = lost / r - size * x
        found[5] = x / r - size * one
        found[6] = one / r - size * two


@compiled
def negative_binomial_terms(events, within, offset, lo, hi, level, slope, r, deep, out):  # type: ignore[no-untyped-def]
    """Add f of rows, and its derivatives, to `out`, as `segments` has them.

    Returned is the derivative by log r. Without `deep` the value alone. Rows with equally many
    events share a logarithm, that of the product of their 1 + r mu: they should stand in the order
    of their events. The product is kept less 1, so that none of it is lost where r is small.
    """
    inverse = 1.0 / r
    value = logarithms = 0.0
    f1 = f1w = f2 = f2w = f2ww = f3 = f3w = f3ww = f3www = 0.0
    product, of = 0.0, 0.0
    for i in range(lo, hi):
        w = within[i]
        eta = offset[i] + level + slope * w
        if events[i] != of or product > _LARGE:
            lost = log1p(product)
            logarithms += lost
            value -= (of + inverse) * lost
            product, of = 0.0, events[i]
        if not deep:
            scaled = r * exp(eta)
            product += scaled * (1.0 + product)
            continue
        scaled, x, one, two = shares(eta, r)
        product += scaled * (1.0 + product)
        size = of + inverse
        t1, t2, t3 = size * x, size * one, size * two
        f1 -= t1
        f1w -= t1 * w
        f2 -= t2
        t2 *= w
        f2w -= t2
        f2ww -= t2 * w
        f3 -= t3
        t3 *= w
        f3w -= t3
        t3 *= w
        f3ww -= t3
        f3www -= t3 * w
    lost = log1p(product)
    logarithms += lost
    out[0] += value - (of + inverse) * lost
    if not deep:
        return 0.0
    out[1] += f1
    out[2] += f1w
    out[3] += f2
    out[4] += f2w
    out[5] += f2ww
    out[6] += f3
    out[7] += f3w
    out[8] += f3ww
    out[9] += f3www
    return logarithms * inverse + f1


@compiled
def negative_binomial_scores(events, within, offset, lo, hi, level, slope, r, p, h, score):  # type: ignore[no-untyped-def]
    """Derivatives of the marginal by each row's offset, into `score`; that by log r.

    `p` and `h` are as in `segments.scores`.
    """
    p11, p12, p22 = p
    h1, h2 = h
    inverse = 1.0 / r
    by_r = 0.0
    product = 0.0
    for i in range(lo, hi):
        w = within[i]
        scaled, x, one, two = shares(offset[i] + level + slope * w, r)
        if product > _LARGE:
            by_r += log1p(product) * inverse
            product = 0.0
        product += scaled * (1.0 + product)
        size = events[i] + inverse
        around = 0.5 * (p11 + 2.0 * p12 * w + p22 * w * w)
        along = 0.5 * (h1 + h2 * w)
        score[i] = size * (along * one - around * two - x)
        by_r += score[i] + inverse * (around * one - along * x)
    return by_r + log1p(product) * inverse


@compiled
def squared_variation(found, total, r):  # type: ignore[no-untyped-def]
    """q, the log of a total's own squared variation, and its derivatives by the slope.

    q = log r + b - 2 a, with a the log of its mean per exp(level) and b that of the squared means
    of what shares a factor; `found` has `log_sum` of b, and takes q, `total` that of a.
    """
    for k in range(4):
        found[k] -= 2.0 * total[k]
    found[0] += log(r)


@compiled
def negative_binomial_total(y, lead, q, found):  # type: ignore[no-untyped-def]
    """A total of mean exp(lead) and squared variation exp(q), without its log y!.

    `found` takes the value; derivatives by lead 1, 2, 3; by q 1, 2, 3; then by lead and q: tq, tqq,
    ttq.
    """
    phi = exp(-q)
    scaled = exp(lead + q)
    lost = log1p(scaled)
    x = scaled / (1.0 + scaled)
    one = x / (1.0 + scaled)
    two = one * (1.0 - 2.0 * x)
    size = y + phi
    gamma_differences(y, phi, found)
    d0, d1, d2 = found[0], found[1], found[2]
    g1 = y - phi * d0
    g2 = phi * d0 + phi * phi * d1
    g3 = -phi * d0 - 3.0 * phi * phi * d1 - phi * phi * phi * d2
    found[0] = y * lead - size * lost + log_gamma_ratio(y, phi)
    found[1] = y - size * x
    found[2] = -size * one
    found[3] = -size * two
    found[4] = phi * lost - size * x + g1
    found[5] = -phi * lost + 2.0 * phi * x - size * one + g2
    found[6] = phi * lost - 3.0 * phi * x + 3.0 * phi * one - size * two + g3
    found[7] = phi * x - size * one
    found[8] = -phi * x + 2.0 * phi * one - size * two
    found[9] = phi * one - size * two


@compiled
def add_negative_binomial_total(y, lead, q, out, small):  # type: ignore[no-untyped-def]
    """Add a total's log-likelihood and derivatives to `out`; `q` has those by the slope."""
    q1, q2, q3 = q[1], q[2], q[3]
    negative_binomial_total(y, lead, q[0], small)
    out[0] += small[0]
    out[1] += small[1]
    out[3] += small[2]
    out[6] += small[3]
    f_q, f_qq, f_qqq = small[4], small[5], small[6]
    f_tq, f_tqq, f_ttq = small[7], small[8], small[9]
    out[2] += f_q * q1
    out[4] += f_tq * q1
    out[5] += f_qq * q1 * q1 + f_q * q2
    out[7] += f_ttq * q1
    out[8] += f_tqq * q1 * q1 + f_tq * q2
    out[9] += f_qqq * q1 * q1 * q1 + 3.0 * f_qq * q1 * q2 + f_q * q3


@compiled
def negative_binomial_total_scores(y, lead, q, p, h, small):  # type: ignore[no-untyped-def]
    """Derivatives of the marginal by q, and by its first and second derivatives by the slope."""
    p11, p12, p22 = p
    h1, h2 = h
    q1, q2 = q[1], q[2]
    negative_binomial_total(y, lead, q[0], small)
    f_q, f_qq, f_qqq = small[4], small[5], small[6]
    f_tq, f_tqq, f_ttq = small[7], small[8], small[9]
    by_0 = f_q - 0.5 * (h1 * f_tq + h2 * f_qq * q1)
    by_0 += 0.5 * (p11 * f_ttq + p22 * (f_qqq * q1 * q1 + f_qq * q2))
    by_0 += p12 * f_tqq * q1
    by_1 = p12 * f_tq + p22 * f_qq * q1 - 0.5 * h2 * f_q
    return by_0, by_1, 0.5 * p22 * f_q
