"""What a hospital's own cases add to the written knowledge: an overlay that never touches it."""

from knowledge.fitted.fitting import Case, fit
from knowledge.fitted.overlay import Overlay, OverlayError, join

__all__ = ["Case", "Overlay", "OverlayError", "fit", "join"]
