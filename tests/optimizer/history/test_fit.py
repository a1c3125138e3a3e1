"""`fit` on a history whose rates are known: estimates, plan tables, report and messages."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer import messages
from optimizer.errors import InputError
from optimizer.history import FitReport, fit, fit_history
from optimizer.plan import columns
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.solving import solve

Export = Callable[..., Path]


def fitted(export: Export, tmp_path: Path, **changes: object) -> FitReport:
    """The report of a fit into a new folder."""
    return fit_history(export(**changes), tmp_path / "plan")


def values(report: FitReport, column: str) -> pd.Series:
    """The estimates of one column by their keys."""
    rows = report.estimates.loc[report.estimates["column"] == column]
    return rows.set_index("keys")["value"]


def counts(report: FitReport, check: str) -> int:
    """How many rows a check of the quality report concerns."""
    return int(report.quality.loc[report.quality["check"] == check, "count"].sum())


def worst(report: FitReport, measure: str, by: str) -> float:
    """The largest difference between history and estimates of a member with 1 % or more."""
    rows = report.reproduction
    rows = rows.loc[(rows["measure"] == measure) & (rows["by"] == by)]
    weighty = rows.loc[rows["history"] >= 0.01 * rows["history"].sum()]
    return float(weighty["difference"].abs().max())


def test_win_rates_come_back(export: Export, tmp_path: Path, truth: dict) -> None:
    """Each market's rate is within 0.05 of the true one."""
    rates = values(fitted(export, tmp_path), "win_rate").drop("all")
    assert len(rates) == 6
    for key, rate in rates.items():
        product = next(name for name in truth["win_rates"] if f"product={name};" in key)
        assert rate == pytest.approx(truth["win_rates"][product], abs=0.05)


def test_prices_come_back(export: Export, tmp_path: Path, truth: dict) -> None:
    """The plan's prices are the list prices less the discount, within 1 %."""
    markets = fitted(export, tmp_path).tables["markets"]
    expected = markets["product"].map(truth["prices"]) * truth["discount"]
    assert markets["price"].to_numpy() == pytest.approx(expected.to_numpy(), rel=0.01)
    assert markets["units_per_deal"].to_numpy() == pytest.approx(np.full(6, 2.0), rel=0.1)


def test_the_cycle_comes_back_and_sums_to_one(export: Export, tmp_path: Path, truth: dict) -> None:
    """The lag profile is within 0.03 of the true one; the tail that nobody has is not there."""
    profiles = fitted(export, tmp_path).tables["profiles"]
    lag = profiles.loc[profiles["profile"] == "lag", "value"].to_numpy()
    assert lag == pytest.approx(truth["lag"], abs=0.03)
    assert lag.sum() == pytest.approx(1.0, abs=1e-9)


def test_the_season_of_closings_comes_back(export: Export, tmp_path: Path, truth: dict) -> None:
    """It is the season of the openings moved by the cycle, each month within 0.02 of the true share."""
    profiles = fitted(export, tmp_path).tables["profiles"]
    season = profiles.loc[profiles["profile"] == "season", "value"].to_numpy()
    assert len(season) == 12
    assert season.sum() == pytest.approx(1.0, abs=1e-9)
    expected = sum(share * np.roll(truth["season"], age) for age, share in enumerate(truth["lag"]))
    assert season == pytest.approx(expected / expected.sum(), abs=0.02)


def test_estimates_give_the_history_back(export: Export, tmp_path: Path) -> None:
    """Revenue by product within 10 %, by month of the year 20 %; the win rate within 0.5 %."""
    report = fitted(export, tmp_path)
    assert worst(report, "won_deals", "all") < 0.005
    assert worst(report, "revenue", "all") < 0.02
    assert worst(report, "revenue", "product") < 0.10
    assert worst(report, "recent_revenue", "seller") < 1e-9
    assert worst(report, "revenue_at_market_rates", "seller") < 0.15
    assert worst(report, "revenue", "month_of_year") < 0.20
    assert worst(report, "won_deals", "month") < 0.35


def test_last_year_is_the_last_twelve_months(export: Export, tmp_path: Path, deals: pd.DataFrame) -> None:
    """With two years of history nothing is projected."""
    report = fitted(export, tmp_path)
    won = deals.loc[(deals["Stage"] == "Won") & (deals["Closed"] >= "2026-01-01")]
    assert report.tables["markets"]["last_year_revenue"].sum() == pytest.approx(
        won["Sum"].astype(float).sum()
    )


def test_the_plan_loads_and_solves(export: Export, tmp_path: Path) -> None:
    """The folder is a plan: its target is met, and capacity holds somebody's revenue."""
    report = fitted(export, tmp_path)
    plan = load_plan(report.folder)
    assert plan.spec.calendar.start.isoformat() == "2027-01-01"
    inputs = resolve(plan)
    assert inputs.markets.last_year_revenue.sum() == pytest.approx(
        report.tables["markets"]["last_year_revenue"].sum()
    )
    solution = solve(plan)
    assert [outcome.status for outcome in solution.outcomes] == ["met"]


def test_only_known_columns_reach_the_plan_tables(export: Export, tmp_path: Path) -> None:
    """Win rate, cycle and organic volume stay in estimates.csv until tables take them."""
    report = fitted(export, tmp_path)
    labels = {"line", "product", "region", "market.region", "team", "seller"}
    for name, frame in report.tables.items():
        known = {column.name for column in columns.TABLES[name].columns}
        assert set(frame.columns) - labels <= known
    assert {"win_rate", "organic", "lag", "cycle", "win_factor", "hours"} <= set(report.estimates["column"])


def test_what_nobody_measured_is_marked(export: Export, tmp_path: Path) -> None:
    """Hours and potential are assumed, never measured."""
    estimates = fitted(export, tmp_path).estimates
    origin = estimates.groupby("column")["origin"].agg(set)
    assert origin["hours"] == {"assumed"}
    assert origin["potential"] == {"assumed"}
    assert "assumed" not in origin["win_rate"]


def test_intervals_hold_their_estimates(export: Export, tmp_path: Path) -> None:
    """Low and high enclose the value wherever they are given."""
    estimates = fitted(export, tmp_path).estimates.dropna(subset=["low", "high"])
    assert len(estimates) > 20
    assert (estimates["low"] <= estimates["value"] + 1e-9).all()
    assert (estimates["value"] <= estimates["high"] + 1e-9).all()


def test_row_order_changes_nothing(export: Export, tmp_path: Path) -> None:
    """A shuffled export gives the same tables."""
    first = fitted(export, tmp_path).tables
    second = fitted(export, tmp_path, rewrite=lambda frame: frame.sample(frac=1, random_state=1)).tables
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[name], rtol=1e-9)


def test_a_market_that_was_hardly_sold_borrows_and_says_so(export: Export, tmp_path: Path) -> None:
    """A cell of three lost deals has a price and a rate from the group above, and is called thin."""

    def rewrite(frame: pd.DataFrame) -> pd.DataFrame:
        door = (frame["Item"] == "Door") & (frame["Area"] == "South")
        kept = frame.loc[door & (frame["Stage"] == "Lost")].index[:3]
        return frame.loc[~door | frame.index.isin(kept)]

    report = fitted(export, tmp_path, rewrite=rewrite)
    key = "line=Wood; product=Door; region=South"
    rows = report.estimates.loc[report.estimates["keys"] == key].set_index("column")
    assert rows.loc["price", "value"] == pytest.approx(810.0, rel=0.01)
    assert rows.loc["price", "origin"] == "pooled"
    assert rows.loc["price", "pooled_with"] == "line=Wood; product=Door"
    assert rows.loc["win_rate", "thin"]
    assert 0.15 < rows.loc["win_rate", "value"] < 0.35


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (("Closed", "", "Won"), "won_without_date"),
        (("Closed", "31/31/2026", "Won"), "unreadable"),
        (("Sum", "abc", "Won"), "unreadable"),
        (("Sum", "", "Won"), "won_without_amount"),
        (("Sum", "-5", "Won"), "negative_amount"),
        (("Sum", "0", "Won"), "zero_amount"),
        (("Units", "0", "Won"), "quantity_not_positive"),
        (("Stage", "Wonn", "Won"), "stage_unknown"),
        (("Stage", "", "Won"), "stage_blank"),
        (("Item", "", "Won"), "market_label_blank"),
        (("Rep", "", "Won"), "seller_blank"),
        (("Created", "2026-12-30", "Won"), "dates_out_of_order"),
        (("Closed", "", "Lost"), "lost_without_date"),
        (("Closed", "2027-03-01", "Open"), "open_with_close_date"),
        (("Item", "Lampp", "Won"), "fixed"),
        (("Item", "Sofa", "Won"), "lookup_unmatched"),
        (("Rep", "Gus", "Won"), "seller_without_unit"),
        (("Deal", "D00000", "Won"), "duplicate_id"),
    ],
)
def test_every_kind_of_dirt_is_counted_and_named(
    export: Export, tmp_path: Path, edit: tuple[str, str, str], check: str
) -> None:
    """Four dirty rows are reported by one check with their row numbers, and the rest still makes a plan."""
    column, value, where = edit
    rows: list[int] = []

    def rewrite(frame: pd.DataFrame) -> pd.DataFrame:
        early = frame["Closed"] < "2026-12-01" if where != "Open" else frame["Closed"] == ""
        chosen = frame.index[(frame["Stage"] == where) & early & (frame.index > 100)][:4]
        rows.extend(int(row) + 2 for row in chosen)
        frame[column] = frame[column].astype(object)
        frame.loc[chosen, column] = value
        return frame

    report = fitted(export, tmp_path, rewrite=rewrite)
    found = report.quality.loc[report.quality["check"] == check]
    if check == "seller_without_unit":
        assert list(found["value"]) == ["Gus"]
    else:
        assert list(found["count"]) == [4]
        assert found["rows"].iloc[0] == " ".join(map(str, rows))
    assert load_plan(report.folder).tables["markets"]


def test_facts_inside_the_horizon_are_left_out(export: Export, tmp_path: Path, deals: pd.DataFrame) -> None:
    """With a start in October 2026 everything opened or closed later is counted and not used."""
    mapping = (
        Path(export()).read_text(encoding="utf-8").replace("growth: 0.04", "start: 2026-10-01, periods: 3")
    )
    report = fitted(export, tmp_path, mapping=mapping.split("\n", 1)[1])
    later = (deals["Closed"] >= "2026-10-01") | (deals["Created"] >= "2026-10-01")
    assert counts(report, "after_start") == later.sum()
    assert counts(report, "gap_before_start") == 0


def test_a_seller_who_has_left_is_not_planned(export: Export, tmp_path: Path) -> None:
    """No deal for half a year means no row in sellers.csv, and a note."""
    report = fitted(
        export, tmp_path, rewrite=lambda f: f.loc[(f["Rep"] != "Ana") | (f["Created"] < "2026-01-01")]
    )
    assert "Ana" not in set(report.tables["sellers"]["seller"])
    assert counts(report, "seller_idle") == 6


def test_a_newcomer_borrows_from_the_team(export: Export, tmp_path: Path) -> None:
    """Two months of work say little about a year."""
    report = fitted(
        export, tmp_path, rewrite=lambda f: f.loc[(f["Rep"] != "Bo") | (f["Created"] >= "2026-11-01")]
    )
    rows = report.estimates.loc[report.estimates["column"] == "productivity"].set_index("keys")
    assert rows.loc["seller=Bo", "own_weight"] == pytest.approx(2 / 6)
    assert rows.loc["seller=Bo", "pooled_with"] == "team=N"
    assert rows.loc["seller=Bo", "value"] > 0.5 * rows.loc["seller=Cy", "value"]


@pytest.mark.parametrize(
    ("first", "check", "method"),
    [
        ("2026-05-01", "season_by_quarter", "month_of_quarter"),
        ("2026-10-01", "season_working_days", "working_days"),
    ],
)
def test_a_short_history_says_what_stands_in_for_the_season(
    export: Export, tmp_path: Path, first: str, check: str, method: str
) -> None:
    """Eight months give the pattern of a quarter, three give working days; last year is projected."""
    report = fitted(export, tmp_path, rewrite=lambda frame: frame.loc[frame["Created"] >= first])
    assert counts(report, check) > 0
    assert counts(report, "annualised") > 0
    season = report.estimates.loc[report.estimates["column"] == "season"]
    assert set(season["method"]) == {method}
    assert season["value"].sum() == pytest.approx(1.0)


def test_territories_follow_what_was_sold(export: Export, tmp_path: Path) -> None:
    """By seller each one sells in the own region; by team one row stands for three people."""
    single = fitted(export, tmp_path).tables["territories"]
    mapping = Path(export()).read_text(encoding="utf-8").split("\n", 1)[1] + "territories: team\n"
    pooled = fitted(export, tmp_path, mapping=mapping).tables["territories"]
    assert (len(single), len(pooled)) == (18, 6)
    assert set(single.loc[single["seller"] == "Ana", "region"]) == {"North"}


def test_orders_without_stages_are_all_won(export: Export, tmp_path: Path) -> None:
    """No lost deals and no openings: win rate and cycle are not invented, and the potential says why."""
    mapping = """
columns: {Deal: id, Closed: closed, Rep: seller, Item: product, Sum: amount}
by: [product]
scale: 0.5
"""
    report = fitted(export, tmp_path, rewrite=lambda f: f.loc[f["Stage"] == "Won"], mapping=mapping)
    assert report.counts["lost"] == report.counts["open"] == 0
    assert report.estimates.set_index("column").loc["win_rate", "origin"] == "assumed"
    assert counts(report, "potential_won_only") > 0
    assert counts(report, "no_openings") == 0
    assert "no_openings" in set(report.quality["check"])
    assert [outcome.status for outcome in solve(load_plan(report.folder)).outcomes] == ["met"]


def test_a_history_without_sellers_plans_markets_alone(export: Export, tmp_path: Path) -> None:
    """No sellers and no territories table, a note, and a plan that solves."""
    mapping = """
columns: {Closed: closed, Item: product, Sum: amount, Stage: stage}
stages: {won: [Won], lost: [Lost], open: [Open]}
by: [product]
"""
    report = fitted(export, tmp_path, mapping=mapping)
    assert set(report.tables) == {"markets", "profiles"}
    assert "no_sellers" in set(report.quality["check"])
    assert [outcome.status for outcome in solve(load_plan(report.folder)).outcomes] == ["met"]


def test_returns_are_kept_when_the_mapping_says_so(export: Export, tmp_path: Path) -> None:
    """Negative amounts lower last year's revenue instead of being left out."""

    def rewrite(frame: pd.DataFrame) -> pd.DataFrame:
        chosen = frame.index[(frame["Stage"] == "Won") & (frame["Closed"] > "2026-02-01")][:5]
        frame.loc[chosen, "Sum"] = "-50"
        return frame

    mapping = Path(export()).read_text(encoding="utf-8").split("\n", 1)[1]
    dropped = fitted(export, tmp_path, rewrite=rewrite)
    kept = fitted(export, tmp_path, rewrite=rewrite, mapping=mapping + "negative_amounts: keep\n")
    revenue = [report.tables["markets"]["last_year_revenue"].sum() for report in (dropped, kept)]
    assert revenue[1] == pytest.approx(revenue[0] - 250.0)
    assert counts(kept, "negative_amount_kept") == 5


def test_columns_are_guessed_by_their_names(tmp_path: Path, deals: pd.DataFrame) -> None:
    """An export with usual names needs no mapping; the page lists what was guessed."""
    names = {
        "Deal": "Opportunity ID", "Created": "Created Date", "Closed": "Close Date", "Rep": "Owner",
        "Client": "Account", "Item": "Product", "Area": "Region", "Sum": "Amount", "Units": "Quantity",
    }  # fmt: skip
    deals.rename(columns=names).to_csv(tmp_path / "crm.csv", index=False)
    report = fit(tmp_path / "crm.csv", tmp_path / "plan")
    assert report.guessed
    assert report.mapping.by == ["product", "Region"]
    page = report.text()
    assert "Close Date -> closed" in page
    assert "won: Won; as lost: Lost; as open: Open" in page
    again = fit(tmp_path / "crm.csv", tmp_path / "again", tmp_path / "plan" / "mapping.yaml")
    pd.testing.assert_frame_equal(again.tables["markets"], report.tables["markets"])


def test_a_russian_export_is_guessed_and_told_in_russian(tmp_path: Path) -> None:
    """Columns and stages of a Russian CRM need no mapping, and the plan speaks its language."""
    rows = ["Номер сделки;Дата закрытия;Товар;Этап;Сумма"]
    rows += [
        f"{at};0{at % 9 + 1}.0{at % 6 + 1}.2026 9:15:00;Насос;Сделка успешна;1 250,50" for at in range(40)
    ]
    rows += ["7;01.06.2026;Насос;Сделка успешна;999 999"]
    (tmp_path / "сделки.csv").write_bytes("\n".join(rows).encode("cp1251"))
    report = fit(tmp_path / "сделки.csv", tmp_path / "plan")
    assert report.language == "ru" and report.counts["won"] == 40
    assert "(сумма 999\u00a0999)" in report.text()
    assert "language: ru" in report.plan


def test_why_no_row_is_left_is_said(tmp_path: Path) -> None:
    """When all rows are left out, the error gives the reason of most of them, with a row."""
    rows = "Дата закрытия,Товар,Сумма\n" + "01.03.26,Насос,5\n" * 3
    (tmp_path / "deals.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        fit(tmp_path / "deals.csv", tmp_path / "plan")
    assert "Не вошло строк: 3. В столбце Дата закрытия стоит «01.03.26» (строка 2)" in caught.value.text("ru")


def test_the_page_is_said_in_every_language(export: Export, tmp_path: Path, deals: pd.DataFrame) -> None:
    """The same findings in English, Russian and Chinese."""
    report = fitted(export, tmp_path)
    english, russian, chinese = (report.text(language) for language in ("en", "ru", "zh"))
    assert f"{len(deals)} rows read" in english
    assert f"Прочитано строк: {len(deals)}" in russian
    assert f"读取 {len(deals)} 行" in chinese
    assert len(english.splitlines()) == len(russian.splitlines()) == len(chinese.splitlines())


def test_every_sentence_of_the_area_is_said(root: Path) -> None:
    """A sentence that no code names is dead."""
    sources = (root / "optimizer" / "history").glob("*.py")
    trees = [ast.parse(source.read_text(encoding="utf-8")) for source in sources]
    said = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    names = messages.catalogue("history", "en")
    assert [name for name in names if name not in said and f"history.{name}" not in said] == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("by: [line", "bye: [line", "mapping.yaml, line 19: there is no key bye in a mapping. Nearest: by"),
        ("  Sum: amount\n", "  Summ: amount\n", "column Summ: the file has no such column"),
        ("  Sum: amount\n", "", "the mapping must say which columns are `closed` and `amount`"),
        ("hierarchy: [team]", "hierarchy: [teem]", "nor a look-up table gives. Nearest: team"),
        ("growth: 0.04", "growth: much", "“much” is not a number"),
        ("hierarchy: [team]", "hierarchy: [team]\nterritories: region", "takes one of: seller, team"),
        ("file: people.csv", "file: people2.csv", "people"),
        ("key: seller,", "key: rep,", "joined by rep, but its `columns` have no entry for rep"),
        ("stages: {won: [Won], lost: [Lost], open: [Open]}\n", "", "The export has: Lost, Open, Won"),
        ("won: [Won]", "won: [Gewonnen]", "rows is a won deal"),
        ("Area: region", "Area: product", "our column product is given twice"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_says_why(
    export: Export, tmp_path: Path, old: str, new: str, expected: str
) -> None:
    """What, where, and the nearest name."""
    path = export()
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        fit_history(path, tmp_path / "plan")
    assert expected in caught.value.text()


def test_a_key_that_stands_twice_in_a_lookup_is_refused(export: Export, tmp_path: Path) -> None:
    """A deal is never counted twice."""
    path = export()
    with (tmp_path / "people.csv").open("a", encoding="utf-8") as people:
        people.write("Ana,S\n")
    with pytest.raises(InputError, match="stands in the look-up table twice"):
        fit_history(path, tmp_path / "plan")


def test_a_mapping_without_history_asks_for_it(export: Export, tmp_path: Path, deals: pd.DataFrame) -> None:
    """The history is named in the mapping, or on the command line."""
    path = export()
    path.write_text(path.read_text(encoding="utf-8").split("\n", 1)[1], encoding="utf-8")
    with pytest.raises(InputError, match="Add `history: FILE`"):
        fit_history(path, tmp_path / "plan")
    assert fit(tmp_path / "deals.csv", tmp_path / "plan", path).counts["total"] == len(deals)


def test_an_export_without_known_names_lists_its_columns(tmp_path: Path) -> None:
    """Guessing gives up with the way out."""
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"recognised as `closed`. Columns: a, b"):
        fit(tmp_path / "x.csv", tmp_path / "plan")


def test_a_folder_of_somebody_else_is_not_replaced(export: Export, tmp_path: Path) -> None:
    """Only a folder that fit has written is replaced."""
    path = export()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(InputError):
        fit_history(path, tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text(encoding="utf-8") == "keep"
