"""`apportion curves`: pictures that nobody has to look at to know that they are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.report import drawing
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.curvefiles import curve_page, write_curves

pytest.importorskip("matplotlib")

PLAN = """
name: Werbung
currency: CNY
calendar: {{start: 2027-01-01, periods: 1, every: month}}
tables: {{marketing: marketing.csv, curves: curves.csv}}
budgets: [{{name: Budget, metric: marketing_cost, at_most: 9}}]
language: {language}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan with a Cyrillic and a Latin channel."""
    (tmp_path / "marketing.csv").write_text("channel,max_spend,base_spend\nПоиск,9,4\nfair,9,\n", "utf-8")
    (tmp_path / "curves.csv").write_text(
        "channel,family,top,half\nПоиск,michaelis_menten,9,4\nfair,michaelis_menten,12,6\n", "utf-8"
    )
    (tmp_path / "plan.yaml").write_text(PLAN.format(language="ru"), "utf-8")
    return tmp_path


@pytest.fixture
def solution(plan: Path) -> Solution:
    """The plan, solved."""
    return solve(load_plan(plan), SolveSettings(marginal_values=False, leverage=False))


def test_both_pictures_and_the_points(solution: Solution, tmp_path: Path) -> None:
    """SVG keeps its text as text, PNG is one, and the points are beside them."""
    found = write_curves(solution, tmp_path / "out", ("svg", "png"))
    assert found.files == ("curves.csv", "curves.svg", "curves.png") and not found.note
    assert "Поиск" in (tmp_path / "out" / "curves.svg").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_the_same_plan_gives_the_same_svg(solution: Solution, tmp_path: Path) -> None:
    """No date and no random names."""
    for name in ("one", "two"):
        write_curves(solution, tmp_path / name, ("svg",))
    one, two = ((tmp_path / name / "curves.svg").read_bytes() for name in ("one", "two"))
    assert one == two


def test_fonts_have_the_characters() -> None:
    """Cyrillic is found in the first font; what no font has is told apart."""
    fonts, missing = drawing.fonts_for(set("План spend"))
    assert fonts and not missing
    _, missing = drawing.fonts_for({"\U0010fffd", "a"})
    assert missing == {"\U0010fffd"}


def test_characters_without_a_font_leave_png_out(
    solution: Solution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PNG would show boxes: it is not written and the note says which characters; alone it is an error."""
    known = drawing._characters

    def without_cyrillic(file: Path) -> set[str]:
        return {character for character in known(file) if ord(character) < 0x400}

    monkeypatch.setattr(drawing, "_characters", without_cyrillic)
    found = write_curves(solution, tmp_path / "out", ("svg", "png"))
    assert found.files == ("curves.csv", "curves.svg")
    assert "Поиск"[1] in found.note
    with pytest.raises(InputError) as caught:
        write_curves(solution, tmp_path / "png", ("png",))
    assert caught.value.key == "curves.no_glyphs_png"


def test_a_font_that_is_none_is_refused(solution: Solution, tmp_path: Path) -> None:
    """A text file is no font."""
    (tmp_path / "font.ttf").write_text("no font", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        write_curves(solution, tmp_path / "out", ("svg",), tmp_path / "font.ttf")
    assert caught.value.key == "curves.font_unreadable"


def test_many_curves_are_several_pictures(
    solution: Solution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page holds so many."""
    monkeypatch.setattr("scenarios.curvefiles.A_PAGE", 1)
    found = write_curves(solution, tmp_path / "out", ("svg",))
    assert found.files == ("curves.csv", "curves-1.svg", "curves-2.svg")


def test_without_matplotlib(solution: Solution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures need nothing; pictures say what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "Поиск" in curve_page(solution, 100)
    with pytest.raises(InputError) as caught:
        write_curves(solution, tmp_path / "out", ("svg",))
    assert caught.value.key == "curves.no_matplotlib"


def test_the_command(plan: Path, tmp_path: Path) -> None:
    """Figures on the terminal in the plan's language, pictures in the folder."""
    result = CliRunner().invoke(main, ["curves", str(plan), "-o", str(tmp_path / "out"), "--format", "svg"])
    assert result.exit_code == 0, result.output
    assert "Следующий лид" in result.output and "curves.svg" in result.output


def test_a_plan_without_curves(tmp_path: Path) -> None:
    """Nothing to draw is an input error."""
    (tmp_path / "markets.csv").write_text("region,potential,price,margin_rate\nNorth,5,1,0.5\n", "utf-8")
    (tmp_path / "plan.yaml").write_text(
        "name: T\ncalendar: {start: 2027-01-01, periods: 1}\ntables: {markets: markets.csv}\n", "utf-8"
    )
    result = CliRunner().invoke(main, ["curves", str(tmp_path)])
    assert result.exit_code == 3
    assert "no curves" in result.output
