"""Plan and fact: what was planned to date, what has happened, why they differ, and where the year ends."""

from optimizer.tracking.tracking import Comparison, Tracking, compare, track

__all__ = ["Comparison", "Tracking", "compare", "track"]
