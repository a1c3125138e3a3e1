"""A whole risk analysis: everything that its file and its options ask for, and the folder that holds it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from scenarios.base import Base
from scenarios.engine import Engine
from scenarios.risk.analysis import (
    Analysis,
    Phase,
    analyse,
    prepared,
    protected,
    save,
    with_break_evens,
)
from scenarios.risk.breakeven import check_asked
from scenarios.risk.decided import decided
from scenarios.risk.page import risk_page
from scenarios.risk.pictures import write_pictures
from scenarios.risk.riskfile import Risk


def whole_analysis(
    base: Base,
    risk: Risk,
    samples: int | None = None,
    engine: Engine | None = None,
    break_even: Sequence[tuple[str, str]] = (),
    phase: Phase | None = None,
    interrupt: threading.Event | None = None,
) -> Analysis:
    """Simulations, break-evens, decisions for many futures, a robust plan, and what to prepare.

    Raises `InputError`, `NoPlanError`, and `LimitReachedError` when interrupted.
    """
    for what, _ in break_even:
        check_asked(risk, what)
    found = with_break_evens(analyse(base, risk, samples, engine, phase, interrupt), break_even)
    return prepared(protected(decided(found, engine)), engine)


def write_analysis(found: Analysis, language: str, out: Path) -> None:
    """Put the folder in the place of `out`: risk.json, page.txt, tables and pictures."""
    page = risk_page(found, language, folder=out.name)
    save(found, page, out, lambda folder: write_pictures(found, language, folder))
