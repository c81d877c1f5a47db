"""An overlay of fitted parameters at work: it divides probability among the conditions it knows.

The written knowledge decides how probable the overlay's conditions are together, and all about
every other condition; the overlay decides between its own. So fitting to one clinic's cases moves
no probability away from a danger that the clinic never saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import NDArray

from knowledge.fitted.fitting import Array, Classes, States, belonging, features
from knowledge.fitted.overlay import Overlay


class Fitted:
    """A compiled overlay. L conditions, S findings."""

    def __init__(self, overlay: Overlay, row: Mapping[str, int], column: Mapping[str, int]) -> None:
        """`row` and `column` are those of the network that it joins."""
        self.overlay = overlay
        self.rows = np.array([row[own.id] for own in overlay.conditions])
        self.place = {row: index for index, row in enumerate(self.rows.tolist())}
        self.columns = {column[own.id]: place for place, own in enumerate(overlay.findings)}
        self._findings = {own.id: place for place, own in enumerate(overlay.findings)}
        self._classes = Classes(
            np.array(overlay.condition_of),
            np.maximum(np.array(overlay.share), 1e-9),
            np.clip(np.array(overlay.present), 1e-6, 1.0),
            np.clip(np.array(overlay.other), 1e-6, 1.0),
            overlay.silence,
        )
        self._weights = np.array(overlay.weights)
        self._intercepts = np.array(overlay.intercepts)
        self._member = np.eye(len(self.rows))[self._classes.condition]  # (R, L)

    def states(
        self, present: Set[str], absent: Set[str], unsure: Set[str], told: Set[str]
    ) -> tuple[States, States]:
        """What is known, and what of it was told unasked; each (1, S)."""
        states = np.zeros((1, len(self._findings)), dtype=np.int8)
        for code, keys in ((1, present), (2, absent), (3, unsure)):
            for key in keys & self._findings.keys():
                states[0, self._findings[key]] = code
        first = np.zeros_like(states)
        for key in told & self._findings.keys():
            first[0, self._findings[key]] = states[0, self._findings[key]]
        return states, first

    def shares(self, states: States, told: States) -> Array:
        """How the overlay's conditions share what they have together, (L,), summing to 1."""
        z = (features(states, told) @ self._weights + self._intercepts)[0]
        by_weights = np.exp(z - z.max())
        by_classes = belonging(self._classes, states)[0] @ self._member
        both: Array = np.sqrt(by_weights / by_weights.sum() * by_classes)
        return np.asarray(both / both.sum())

    def answers(self, states: States) -> tuple[Array, Array]:
        """For each condition and finding, (L, S): the probability that a patient who answered so
        far as `states` reports it, and that he has anything to say of it."""
        chance = belonging(self._classes, states)[0]
        of_condition = np.maximum(chance @ self._member, 1e-12)
        within = (chance[:, None] * self._member) / of_condition  # (R, L)
        present = within.T @ self._classes.present
        return present, present + within.T @ self._classes.other

    def places(self, columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of the network's columns the overlay knows: their places in `columns`, and in the
        overlay."""
        pairs = [
            (index, self.columns[c])
            for index, c in enumerate(columns.tolist())
            if c in self.columns
        ]
        here = np.array([a for a, _ in pairs], dtype=np.int64)
        there = np.array([b for _, b in pairs], dtype=np.int64)
        return here, there
