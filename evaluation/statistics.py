"""Figures with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

RESAMPLES = 2000
BINS = 10


class Figure(BaseModel):
    """A mean with the bounds of its 95 % interval; all None over no cases."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] of {self.n}"


def mean(values: Sequence[float | bool], *, seed: int = 0) -> Figure:
    """The mean with its percentile bootstrap interval (Efron 1979), cases drawn with replacement.

    The same seed gives the same interval.
    """
    if not values:
        return Figure(value=None, low=None, high=None, n=0)
    sample = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.percentile(sample[drawn].mean(axis=1), [2.5, 97.5])
    return _figure(float(sample.mean()), low, high, len(sample))


def ratio(parts: Sequence[float], wholes: Sequence[float], *, seed: int = 0) -> Figure:
    """The sum of the parts over the sum of the wholes, with its percentile bootstrap interval;
    cases are drawn, each with its part and its whole. Such are precision, recall and F1 over all
    findings of all messages. `n` is the number of cases; None where the wholes are zero."""
    if len(parts) != len(wholes):
        raise ValueError("one part a whole")
    above, below = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    if not len(below) or below.sum() <= 0:
        return Figure(value=None, low=None, high=None, n=0)
    drawn = np.random.default_rng(seed).integers(0, len(below), (RESAMPLES, len(below)))
    sums = below[drawn].sum(axis=1)
    values = above[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.percentile(values, [2.5, 97.5])
    return _figure(float(above.sum() / below.sum()), low, high, len(below))


def calibration_error(
    probabilities: Sequence[float], correct: Sequence[bool], *, seed: int = 0
) -> Figure:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015): how far the
    probability of the favourite is from how often the favourite is right."""
    if len(probabilities) != len(correct):
        raise ValueError("one outcome a probability")
    if not probabilities:
        return Figure(value=None, low=None, high=None, n=0)
    sure = np.asarray(probabilities, dtype=float)
    right = np.asarray(correct, dtype=float)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)

    def error(rows: np.ndarray) -> float:
        gaps = np.bincount(bins[rows], weights=sure[rows] - right[rows], minlength=BINS)
        return float(np.abs(gaps).sum() / len(rows))

    random = np.random.default_rng(seed)
    drawn = [error(random.integers(0, len(sure), len(sure))) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return _figure(error(np.arange(len(sure))), low, high, len(sure))


def _figure(value: float, low: float, high: float, n: int) -> Figure:
    return Figure(value=round(value, 4), low=round(low, 4), high=round(high, 4), n=n)
