"""The figures mean what they say."""

from __future__ import annotations

import pytest

from evaluation.statistics import calibration_error, mean


def test_the_interval_holds_the_mean_and_narrows_with_more_cases() -> None:
    few, many = mean([True, False] * 10), mean([True, False] * 500)
    assert few.value == many.value == 0.5
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.low < 0.5 < few.high
    assert many.high - many.low < few.high - few.low


def test_the_same_seed_gives_the_same_interval() -> None:
    assert mean([1, 0, 0, 1, 1], seed=3) == mean([1, 0, 0, 1, 1], seed=3)


def test_nothing_has_no_figure() -> None:
    assert mean([]).value is None
    assert calibration_error([], []).value is None
    assert str(mean([])) == "-"


def test_calibration_by_hand() -> None:
    # Ten at 0.75 of which five are right, ten at 0.25 of which none is: gaps of 0.25 each.
    sure = [0.75] * 10 + [0.25] * 10
    right = [True] * 5 + [False] * 15
    assert calibration_error(sure, right).value == pytest.approx(0.25)
    # A perfect forecaster of certainties has none.
    assert calibration_error([1.0, 1.0], [True, True]).value == 0.0


def test_outcomes_must_match() -> None:
    with pytest.raises(ValueError, match="one outcome"):
        calibration_error([0.5], [])
