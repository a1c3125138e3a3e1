"""Progress of a sweep: how many, how fast and how long still, on a terminal only."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import main
from scenarios.terminal import Ticker

Write = Callable[..., Path]


class Screen(io.StringIO):
    """A stream that is a terminal or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._terminal


@pytest.mark.parametrize(("terminal", "more"), [(True, ()), (True, ("--quiet",)), (False, ())])
def test_a_sweep_shows_rate_and_time_left_on_a_terminal_only(
    terminal: bool, more: tuple[str, ...], small: Path, write: Write, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A line for each finished scenario; nothing where nobody looks or nobody wants it."""
    paths = [str(write(name, "changes: []")) for name in ("one", "two")]
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", Screen(False))
    with pytest.raises(SystemExit) as ended:
        main(["sweep", str(small), *paths, "-o", str(tmp_path / "out"), "--no-kept", *more])
    assert ended.value.code == 0
    lines = re.findall(r"(\d) of 2 · [\d.e+]+ a second · (\d+:\d\d) left", screen.getvalue())
    assert [done for done, _ in lines] == (["1", "2"] if terminal and not more else [])
    assert not lines or lines[-1][1] == "0:00"
    assert terminal or not screen.getvalue()


def test_rate_and_time_left_are_those_of_what_is_done() -> None:
    """30 of 120 scenarios in a minute are half a scenario a second, and three minutes more."""
    screen = Screen(True)
    Ticker(screen, "en", shown=True).scenarios(30, 120, 60.0)
    assert "30 of 120 · 0.5 a second · 3:00 left" in screen.getvalue()
