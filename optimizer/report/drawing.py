"""Curves and other pictures. matplotlib is an extra and is imported here only; nothing needs a screen."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer import messages
from optimizer.errors import InputError, Place
from optimizer.report import numbers
from optimizer.result.drawn import DrawnCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
PANEL = (4.2, 3.2)
"""Inches of one curve."""
A_PAGE = 12
CHOICES = (
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimHei",
    "Arial Unicode MS",
)
"""Fonts that are tried first, in this order; then every other one that is installed."""
PLACEHOLDERS = ("last resort", ".lastresort", "lastresort", "adobe blank", "unicode bmp fallback")
"""Beginnings of the names of fonts that have a box for everything and nothing else."""


def can_draw() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def require_matplotlib() -> None:
    """Raise `InputError` where the extra is not installed."""
    if not can_draw():
        raise InputError("curves.no_matplotlib")


def texts_of(curves: Iterable[DrawnCurve], language: str, money: str) -> set[str]:
    """Every character that the pictures show."""
    said = [_say(language, name, money=money) for name in ("money", "leads", "now", "plan")]
    return set("".join([*said, *(one.name for one in curves)])) - {"\n"}


def fonts_for(characters: set[str], own: Path | None = None) -> tuple[list[str], set[str]]:
    """Fonts that have the characters between them, and the characters that no installed font has.

    `own` is a font file that comes first. Raises `InputError` where it cannot be read.
    """
    from matplotlib import font_manager

    chosen: list[str] = []
    missing = set(characters)
    files: list[tuple[str, Path]] = []
    if own is not None:
        files.append((_with_font(own), own))
    installed = {
        entry.name: Path(entry.fname)
        for entry in reversed(font_manager.fontManager.ttflist)
        if not entry.name.lower().startswith(PLACEHOLDERS)
    }
    names = [*(name for name in CHOICES if name in installed), *sorted(set(installed) - set(CHOICES))]
    for name, file in [*files, *((name, installed[name]) for name in names)]:
        if not missing:
            break
        has = missing & _characters(file)
        if has:
            chosen.append(name)
            missing -= has
    return chosen, missing


def draw(
    curves: Sequence[DrawnCurve], language: str, money: str, fonts: Sequence[str], files: Sequence[Path]
) -> None:
    """Write the curves as one picture into each file; the ending says how. Text in SVG stays text."""
    rows = -(-len(curves) // COLUMNS)
    columns = min(COLUMNS, len(curves))

    def painted(figure: Figure) -> None:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, one in zip(panels, curves, strict=False):
            _panel(panel, one, language, money)
        for panel in panels[len(curves) :]:
            panel.set_axis_off()

    picture(painted, (PANEL[0] * columns, PANEL[1] * rows), fonts, files)


def picture(
    paint: Callable[[Figure], None],
    inches: tuple[float, float],
    fonts: Sequence[str],
    files: Sequence[Path],
) -> None:
    """Write what `paint` draws into each file; the ending says how. The same drawing gives the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[str, Any] = {
        "font.family": [*fonts, "sans-serif"],
        "svg.fonttype": "none",
        "svg.hashsalt": "apportion",
    }
    if "font.enable_last_resort" in matplotlib.rcParams:
        settings["font.enable_last_resort"] = False
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=inches, layout="constrained")
        paint(figure)
        for file in files:
            _save(figure, file)


def _with_font(file: Path) -> str:
    """The name of a font file, which is then known to matplotlib; raises `InputError` where it is none."""
    from matplotlib import font_manager

    try:
        font_manager.fontManager.addfont(file)
        return font_manager.FontProperties(fname=file).get_name()
    except (OSError, RuntimeError) as error:
        raise InputError("curves.font_unreadable", Place(file=file.name), why=error) from error


def _characters(file: Path) -> set[str]:
    """The characters that a font file has; none where it cannot be read."""
    from matplotlib import ft2font

    try:
        return {chr(code) for code in ft2font.FT2Font(str(file)).get_charmap()}
    except (OSError, RuntimeError):
        return set()


def _save(figure: Figure, file: Path) -> None:
    stamp: dict[str, Any] = {"Date": None} if file.suffix == ".svg" else {"Software": None}
    try:
        with warnings.catch_warnings():
            if file.suffix == ".svg":
                # Text stays text there: whoever looks at it has the font, or another one.
                warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            figure.savefig(file, dpi=150, metadata=stamp)
    except OSError as error:
        raise InputError(
            "curves.not_written", Place(file=file.name), why=error.strerror or str(error)
        ) from error


def _panel(panel: Axes, one: DrawnCurve, language: str, money: str) -> None:
    panel.plot(one.money, one.leads, color="#33658a")
    if one.now is not None:
        panel.plot(
            *one.now, marker="o", linestyle="", color="#888888", label=_say(language, "now", money=money)
        )
    panel.plot(
        *one.plan, marker="D", linestyle="", color="#c0392b", label=_say(language, "plan", money=money)
    )
    panel.set_title(one.name, fontsize=10)
    panel.set_xlabel(_say(language, "money", money=money), fontsize=8)
    panel.set_ylabel(_say(language, "leads", money=money), fontsize=8)
    panel.tick_params(labelsize=8)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(lambda value, _position: numbers.amount(float(value), language))
    panel.set_xlim(left=0.0)
    panel.set_ylim(bottom=min(0.0, float(np.nanmin(one.leads))))
    panel.legend(fontsize=8, loc="lower right")


def _say(language: str, name: str, **fields: object) -> str:
    return messages.text(f"curves.axis_{name}", language, **fields)
