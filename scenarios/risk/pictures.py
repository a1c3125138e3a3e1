"""Pictures of a risk analysis: what the year may bring, what moves it, and what can be had for which risk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optimizer import messages
from optimizer.report import drawing, numbers
from optimizer.result.solution import Solution
from scenarios.risk.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REVENUE = "revenue"
KINDS = ("svg", "png")
SIZE = (7.2, 4.2)
"""Inches of a picture."""
BARS = 10
"""Things that a tornado shows."""
COLOURS = {"kept": "#888888", "reacting": "#33658a", "low": "#c0392b", "high": "#33658a"}

Painter = Callable[["Figure", Analysis, str], None]


def write_pictures(found: Analysis, language: str, folder: Path) -> list[str]:
    """Write each picture that the analysis has figures for into `folder`; the names of the files.

    Nothing without matplotlib, and no PNG where no font has every character.
    """
    if not drawing.can_draw():
        return []
    painters: Mapping[str, tuple[str, Painter]] = {
        "revenue": ("figures", _revenue), "tornado": ("tornado", _tornado),
        "frontier": ("frontier", _frontier),
    }  # fmt: skip
    fonts, missing = drawing.fonts_for(_characters(found, language))
    kinds = [kind for kind in KINDS if kind == "svg" or not missing]
    names: list[str] = []
    for name, (frame, paint) in painters.items():
        if frame in found.frames:
            files = [f"{name}.{kind}" for kind in kinds]

            def painted(figure: Figure, paint: Painter = paint) -> None:
                paint(figure, found, language)

            drawing.picture(painted, SIZE, fonts, [folder / file for file in files])
            names += files
    return names


def pictures_sentence(found: Analysis, language: str) -> str:
    """Which pictures the folder has, or what they need."""
    if not drawing.can_draw():
        return _say("none", language)
    names = [f"{name}.svg" for name in ("revenue", "tornado")]
    return _say(
        "files", language, files=", ".join([*names, *(["frontier.svg"] * ("frontier" in found.frames))])
    )


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"pictures.{name}", language, **fields)


def _characters(found: Analysis, language: str) -> set[str]:
    """Every character that the pictures may show."""
    said = [sentence for sentence in messages.catalogue("pictures", language).values()]
    said += [str(name) for name in found.frames["tornado"]["name"]]
    said += [str(name) for name in found.frames["targets"].get("name", [])]
    said += [found.currency, *(messages.text(f"risk.way_{way}", language) for way in found.simulations)]
    said += [numbers.amount(value, language) for value in (1.5e3, 1.5e5, 1.5e7, 1.5e9)]
    return set("".join(said)) - {"\n"}


def _in_words(panel: Axes, axis: str, language: str) -> None:
    """Numbers of an axis as pages write them."""
    shown = panel.xaxis if axis == "x" else panel.yaxis
    shown.set_major_formatter(lambda value, _position: numbers.amount(float(value), language))
    panel.tick_params(labelsize=8)


def _revenue(figure: Figure, found: Analysis, language: str) -> None:
    """How often the year's revenue comes out where, kept and reacting, with its target and P10, P50, P90."""
    panel = figure.subplots()
    every = {way: one.column(REVENUE) for way, one in found.simulations.items()}
    known = {way: values[~np.isnan(values)] for way, values in every.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(known.values())), bins="auto")
    for way, values in known.items():
        word = messages.text(f"risk.way_{way}", language)
        panel.hist(values, bins=edges.tolist(), color=COLOURS[way], alpha=0.55, label=word)
    for level in (10, 50, 90):
        at = float(np.quantile(known["reacting"], level / 100))
        panel.axvline(at, color=COLOURS["reacting"], linestyle=":", linewidth=1.2)
        place = ("data", "axes fraction")
        panel.annotate(f"P{level}", (at, 0.98), xycoords=place, fontsize=8, va="top", ha="right")
    for name, bound in revenue_targets(found.solution):
        panel.axvline(bound, color="#c0392b", linewidth=1.5, label=_say("target", language, name=name))
    panel.set_xlabel(_say("revenue", language, currency=found.currency), fontsize=9)
    panel.set_ylabel(_say("futures", language), fontsize=9)
    panel.legend(fontsize=8)
    _in_words(panel, "x", language)


def revenue_targets(solution: Solution) -> list[tuple[str, float]]:
    """Targets on the revenue of the whole year and company: name and lower bound."""
    found = []
    for name, rows in solution.model.context.rule_rows.items():
        rule = rows.rule
        whole = rule.kind == "target" and rule.metric == REVENUE and not rule.each and not rule.where
        if whole and not rule.as_share and np.isfinite(rows.asked_lower[0]):
            found.append((name, float(rows.asked_lower[0])))
    return found


def _tornado(figure: Figure, found: Analysis, language: str) -> None:
    """Money against the plan when only one thing turns out low or high, kept, the widest on top."""
    panel = figure.subplots()
    frame = found.frames["tornado"].head(BARS).iloc[::-1]
    places = np.arange(len(frame))
    for end in ("low", "high"):
        change = (frame[f"kept_{end}"] - frame["kept_planned"]).to_numpy(dtype=np.float64)
        panel.barh(places, change, color=COLOURS[end], alpha=0.8, label=_say(f"end_{end}", language))
    panel.set_yticks(places, [str(name) for name in frame["name"]], fontsize=8)
    panel.axvline(0.0, color="#444444", linewidth=0.8)
    panel.set_xlabel(_say("against", language, currency=found.currency), fontsize=9)
    panel.legend(fontsize=8)
    _in_words(panel, "x", language)


def _frontier(figure: Figure, found: Analysis, language: str) -> None:
    """Mean and average of the worst part of each decision, on fresh futures."""
    panel = figure.subplots()
    frame = found.frames["frontier"]
    weighed = frame[frame["weight"].notna()]
    said = _say("decisions", language)
    panel.plot(weighed["worst_mean"], weighed["mean"], "o--", color="#33658a", linewidth=0.8, label=said)
    # Weights that give the same decision share a word.
    for (worst_mean, mean), part in weighed.groupby(["worst_mean", "mean"], sort=False):
        text = ", ".join(numbers.percent(float(weight), language, 0) for weight in part["weight"])
        panel.annotate(text, (worst_mean, mean), fontsize=8, xytext=(4, 4), textcoords="offset points")
    panel.margins(0.12)
    planned = frame[frame["decision"] == "planned"]
    panel.plot(
        planned["worst_mean"], planned["mean"], marker="D", linestyle="", color="#c0392b",
        label=_say("planned", language),
    )  # fmt: skip
    worst = numbers.percent(found.risk.spec.worst, language, 0)
    panel.set_xlabel(_say("worst", language, worst=worst, currency=found.currency), fontsize=9)
    panel.set_ylabel(_say("mean", language, currency=found.currency), fontsize=9)
    panel.legend(fontsize=8)
    for axis in ("x", "y"):
        _in_words(panel, axis, language)
