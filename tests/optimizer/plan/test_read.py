"""Tables as planners have them: read, or refused with file, row, column, value and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table

Load = Callable[..., Plan]
Problem = Callable[..., str]

CALENDAR = "name: x\ncalendar: {start: 2027-01-01, periods: 12}\n"


def _head(tables: str) -> str:
    return f"{CALENDAR}tables: {{{tables}}}\n"


def test_dimensions_and_declared_columns(load: Load) -> None:
    """Further columns of markets are dimensions; declared ones are read whatever their case and spaces."""
    table = load(markets="Region;LAST YEAR revenue;Price ; potential\nNorth;1 000,5;12,5;\n").tables[
        "markets"
    ]
    assert table.labels == ("Region",)
    assert table.numbers("last_year_revenue").tolist() == [1000.5]
    assert table.numbers("price").tolist() == [12.5]
    assert np.isnan(table.numbers("potential")).all()
    assert table.place(0, "price").text() == "markets.csv, row 2, column Price"


def test_columns_are_renamed(load: Load) -> None:
    """`columns` maps the planner's names to ours, with or without the case and spaces of the file."""
    head = _head("markets: {file: markets.csv, columns: {регион: region, 'Цена за  шт': price}}")
    table = load(head=head, markets="Регион,Цена за шт\nСевер,5\n").tables["markets"]
    assert table.labels == ("region",)
    assert table.numbers("price").tolist() == [5.0]


def test_money_is_multiplied(load: Load) -> None:
    """`amounts_in` multiplies money, in columns, in ranges and in months, and nothing else."""
    months = ",".join(f"2026-{month:02d}" for month in range(1, 13))
    head = _head("markets: {file: markets.csv, amounts_in: 10000, months_across: last_year_revenue}")
    markets = f"region,price,units_per_deal,potential_revenue_low,{months}\nN,2,2,5,{'1.5,' * 11}1.5\n"
    table = load(head=head, markets=markets).tables["markets"]
    assert table.numbers("price").tolist() == [20000.0]
    assert table.numbers("units_per_deal").tolist() == [2.0]
    assert table.numbers("potential_revenue_low").tolist() == [50000.0]
    assert table.by_period["last_year_revenue"].tolist() == [[15000.0] * 12]


def test_aliases_and_ranges(load: Load) -> None:
    """`size` and `ote` are other names, and low and high stand beside a number."""
    plan = load(
        markets="region,size,potential,potential_low,potential_high\nN,9,5,4,6\n",
        sellers="seller,OTE\nAnn,300\n",
    )
    assert plan.tables["markets"].numbers("size_revenue").tolist() == [9.0]
    assert plan.tables["markets"].numbers("potential_high").tolist() == [6.0]
    assert plan.tables["sellers"].numbers("target_pay").tolist() == [300.0]


def test_labels_are_text_as_written(load: Load) -> None:
    """Codes keep their zeros, NO stays a label, and a quoted comma belongs to the name."""
    sellers = 'seller,code\n"Ли, Вэй",00123\nNO,12:30\n'
    table = load(sellers=sellers).tables["sellers"]
    assert table.text("seller") == ["Ли, Вэй", "NO"]
    assert table.text("code") == ["00123", "12:30"]


def test_dates_in_many_forms(load: Load) -> None:
    """Dates are ISO, day first or months; an end that is a month is its last day."""
    sellers = (
        "seller,from,to\nAnn,2027-03-01,30.06.2027\nBen,2027/3/1,2027-02\nCai,март 2026,2028年2月\nDan,,\n"
    )
    table = load(sellers=sellers.replace("Ben,2027/3/1", "Ben,2026/3/1")).tables["sellers"]
    assert [str(day)[:10] for day in table.frame["from"]] == ["2027-03-01", "2026-03-01", "2026-03-01", "NaT"]
    assert [str(day)[:10] for day in table.frame["to"]] == ["2027-06-30", "2027-02-28", "2028-02-29", "NaT"]


def test_choices_and_yes_no_in_three_languages(load: Load) -> None:
    """Choices and yes/no are read in English, Russian and Chinese, in any case."""
    markets = "region,customer_type,whole_units\nA,New,да\nB,Существующие,no\nC,老客户,是\nD,,\n"
    table = load(markets=markets).tables["markets"]
    assert table.text("customer_type") == ["new", "existing", "existing", ""]
    assert table.frame["whole_units"].tolist() == [True, False, True, False]


def test_total_rows_are_dropped_on_request(load: Load) -> None:
    """`total_rows: drop` leaves sums out, and the row numbers are still those of the file."""
    head = _head("markets: {file: markets.csv, total_rows: drop, drop_rows: прочее}")
    markets = (
        "region,line,price,Всего\nNorth,a,1,1\nИтого North,,,\nSouth,a,2,2\n华东合计,,3,\n"
        ",,,\nПрочее,a,4,4\nWest,a,5,5\nGrand total,,6,\n"
    )
    table = load(head=head, markets=markets).tables["markets"]
    assert table.text("region") == ["North", "South", "West"]
    assert table.rows.tolist() == [2, 4, 8]


def test_star_where_it_means_all(load: Load) -> None:
    """`*` is allowed in territories, uses and market sizes, and for the dimensions of a seller."""
    head = _head(
        "markets: markets.csv, sellers: sellers.csv, territories: territories.csv, resources: resources.csv, "
        "uses: uses.csv, market_size: size.csv"
    )
    plan = load(
        head=head,
        sellers="seller,region\nAnn,North\nShop,*\n",
        territories="seller,market.region,line,share_max\nAnn,North,*,\n*,*,premium,20%\n",
        resources="resource,capacity,per\ndemo,5,Period\n",
        uses="activity,resource,line,amount\nsell,demo,premium,1\nsell,demo,premium,2\n",
        size="region,line,size\nNorth,*,100\n",
    )
    assert plan.tables["territories"].labels == ("seller", "market.region", "line")
    assert plan.tables["territories"].numbers("share_max")[1] == pytest.approx(0.2)
    assert plan.tables["uses"].numbers("amount").tolist() == [1.0, 2.0]
    assert plan.tables["resources"].text("per") == ["period"]


def test_cp1251_and_gb18030(load: Load) -> None:
    """Files from a Russian or a Chinese spreadsheet are read as they are."""
    head = _head("markets: {file: markets.csv, columns: {Регион: region, Цена: price}}")
    table = load(head=head, markets="Регион;Цена\nСевер;1,5\nЮжный округ;2,5\n".encode("cp1251")).tables[
        "markets"
    ]
    assert table.text("region") == ["Север", "Южный округ"]
    head = _head("markets: {file: markets.csv, encoding: gb18030, columns: {地区: region, 价格: price}}")
    table = load(head=head, markets="地区,价格\n华东,1.5万\n".encode("gb18030")).tables["markets"]
    assert table.numbers("price").tolist() == [15000.0]


def test_a_workbook(tmp_path: Path) -> None:
    """A sheet below title rows, with native dates, numbers and month headers, is read."""
    openpyxl = pytest.importorskip("openpyxl")
    import datetime

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales"
    sheet.append(["Report 2026"])
    sheet.append(["region", "price", *[datetime.datetime(2026, month, 1) for month in range(1, 13)]])
    sheet.append(["North", 12.5, *range(1, 13)])
    people = book.create_sheet("People")
    people.append(["seller", "from"])
    people.append([123, datetime.datetime(2027, 3, 1)])
    book.save(tmp_path / "book.xlsx")
    (tmp_path / "plan.yaml").write_text(
        f"{CALENDAR}tables:\n"
        "  markets: {file: book.xlsx, sheet: Sales, header_row: 2, months_across: last_year_revenue}\n"
        "  sellers: {file: book.xlsx, sheet: People}\n"
    )
    plan = load_plan(tmp_path / "plan.yaml")
    assert plan.tables["markets"].by_period["last_year_revenue"].tolist() == [list(range(1, 13))]
    assert plan.tables["sellers"].text("seller") == ["123"]
    assert str(plan.tables["sellers"].frame["from"][0].date()) == "2027-03-01"
    assert plan.tables["markets"].place(0, "price").text() == "book.xlsx, sheet Sales, row 3, column price"


@pytest.mark.parametrize(
    ("markets", "expected"),
    [
        (
            "region,potental\nN,5\n",
            "markets.csv, row 1, column potental: unknown column “potental”. Did you mean “potential”?",
        ),
        ("region,margin\nN,0.4\n", "unknown column “margin”. Did you mean “margin_rate”?"),
        ("region,price,Price \nN,1,2\n", "column Price: the column “price” is “price” already."),
        ("region,period,price\nN,2027-01,5\n", "a column “period” is not possible here"),
        ("a.b,price\nN,5\n", "the name of a dimension cannot have a full stop"),
        (
            "region,2026-01\nN,5\n",
            "column 2026-01: this column looks like a month. Say what the months hold: add months_across",
        ),
        ("region,price,Итого\nN,5,5\n", "column Итого: this column looks like a sum of others."),
        (
            "region,price\nN,5\nS,abc\n",
            "markets.csv, row 3, column price, value “abc”: “abc” is not a number.",
        ),
        (
            "region,price\nN,NaN\n",
            "row 2, column price, value “NaN”: “NaN” is not a usable number",
        ),
        ("region,price\nN,-5\n", "row 2, column price, value “-5”: “price” must be 0 or more."),
        (
            "region,margin_rate\nN,20\n",
            "column margin_rate, value “20”: “margin_rate” is a share between 0 and 1. "
            "If 20% is meant, write it so, or as 0.2.",
        ),
        (
            "region,line,price\nN,a,5\n,b,5\n",
            "row 3, column region: “region” is blank. It may be a merged cell or a failed lookup",
        ),
        ("region,price\n*,5\n", "row 2, column region, value “*”: * (all) is not possible in “region”."),
        (
            "region,price\nN,5\nИтого,5\n",
            "markets.csv, row 3, column region, value “Итого”: this row looks like a sum of others",
        ),
        ("region,price\nN,5\n小计,5\n", "value “小计”: this row looks like a sum"),
        (
            "region,line,price\nN,a,5\nS,a,5\nN,a,6\n",
            "markets.csv, row 4: the keys “N / a” (region, line) stand in row 2 already.",
        ),
        ("price\n5\n6\n", "markets.csv, row 3: the keys “-” (-) stand in row 2 already."),
        ("region,price\n", "markets.csv: the table “markets” has no rows."),
        (
            "region,customer_type\nN,newe\n",
            "value “newe”: “customer_type” must be one of: new, existing. Nearest: new.",
        ),
        ("region,whole_units\nN,maybe\n", "value “maybe”: “whole_units” must be yes or no."),
        ("region,price\nN,#N/A\n", "markets.csv, row 2, column price, value “#N/A”"),
        ("region,season\nN,seson\n", "row 2, column season, value “seson”: there is no profile “seson”."),
    ],
)
def test_faults_of_markets(problem: Problem, markets: str, expected: str) -> None:
    """Each fault of the markets table names its row, column and value."""
    assert expected in problem(markets=markets)


@pytest.mark.parametrize(
    ("sellers", "expected"),
    [
        ("team,capacity\nA,5\n", "sellers.csv: the column “seller” is missing."),
        ("seller,capacity\nAnn,-5\n", "row 2, column capacity, value “-5”: “capacity” must be 0 or more."),
        ("seller\nAnn\nBen\nAnn\n", "sellers.csv, row 4: the keys “Ann” (seller) stand in row 2 already."),
        ("seller,team\nAnn,\n", "row 2, column team: “team” is blank."),
        ("seller,team\n,A\n", "row 2, column seller: “seller” is blank."),
        ("seller\n*\n", "column seller, value “*”: * (all) is not possible"),
        ("seller,from\nAnn,soon\n", "row 2, column from, value “soon”: this is no date."),
        ("seller,from\nAnn,31.02.2027\n", "value “31.02.2027”: this is no date."),
        (
            "seller,from,to\nAnn,2027-05-01,2027-04-30\n",
            "row 2, column to, value “2027-04-30”: the end comes before the start (2027-05-01).",
        ),
        ("seller,capacity_hours\nAnn,5\n", "Did you mean “capacity”?"),
        ("seller,capcity\nAnn,5\n", "Did you mean “capacity”?"),
        (
            "seller,capacity_unit\nAnn,minutes\n",
            "“capacity_unit” must be one of: hours, deals, units, revenue.",
        ),
        ("seller,commission_rate\nAnn,2\n", "If 2% is meant"),
        (
            "seller,commission_rate\nAnn,131%\n",
            "value “131%”: “commission_rate” is a share and cannot be above 1",
        ),
        (
            "seller,from\nAnn,46447\n",
            "value “46447”: this is a spreadsheet's count of days, here 2027-03-01.",
        ),
        ("seller,ramp\nAnn,new_rep\n", "there is no profile “new_rep”."),
    ],
)
def test_faults_of_sellers(problem: Problem, sellers: str, expected: str) -> None:
    """Each fault of the sellers table names its row, column and value."""
    assert expected in problem(sellers=sellers)


@pytest.mark.parametrize(
    ("table", "content", "expected"),
    [
        (
            "territories",
            "seller,region,share_mx\nAnn,North,1\n",
            "territories.csv, column share_mx: unknown column in the table territories. Nearest: share_max",
        ),
        (
            "territories",
            "seller,region\nAnn,Nroth\n",
            "territories.csv, row 2, column region, value “Nroth”: no row has this label in region.",
        ),
        (
            "territories",
            "seller,region\nAn,North\n",
            "value “An”: no row has this label in seller. Correct it",
        ),
        (
            "territories",
            "seller,region\nAnn,\n",
            "territories.csv, row 2, column region: “region” is blank. It may be a merged cell or a failed "
            "lookup: fill it in, or write * for all.",
        ),
        ("territories", "seller,share_max\nAnn,20\n", "If 20% is meant, write it so, or as 0.2."),
        (
            "territories",
            "seller\nAnn\nAnn\n",
            "row 3: the keys “Ann” (seller) stand in row 2",
        ),
        ("market_size", "team,size\nAlpha,5\n", "unknown column in the table market_size."),
        ("market_size", "region,size\nN,5\n", "no row has this label in region"),
        ("resources", "resource,capacity,colour\na,5,red\n", "unknown column in the table resources."),
        ("resources", "resource,capacity\na,5\na,6\n", "the keys “a” (resource) stand in row 2 already"),
        ("uses", "activity,resource\nsell,a\n", "uses.csv: the column “amount” is missing."),
        ("uses", "activity,resource,amount\nsell,a,\n", "row 2, column amount: “amount” is blank"),
        ("profiles", "profile,age,value\nr,0,\n", "profiles.csv, row 2, column value: “value” is blank"),
        (
            "profiles",
            "profile,period,value\nseason,1,0.5\nseason,2,0.4\n",
            "row 3, column value: the season “season” sums to 0.9 over a year, but must sum to 1.",
        ),
        (
            "profiles",
            "profile,age,value\nlag_long,0,0.5\nlag_long,1,0.6\n",
            "the lag “lag_long” sums to 1.1, but must sum to 1.",
        ),
        (
            "profiles",
            "profile,age,value\nr,0,0\nr,0,1\n",
            "profiles.csv, row 3: the keys “r / 0” (profile, period_or_age) stand in row 2 already.",
        ),
    ],
)
def test_faults_of_other_tables(problem: Problem, table: str, content: str, expected: str) -> None:
    """Each fault of the other tables names its row, column and value."""
    head = _head(f"markets: markets.csv, sellers: sellers.csv, {table}: {table}.csv")
    assert expected in problem(head=head, **{table: content})


def test_a_wrong_encoding_is_named(problem: Problem) -> None:
    """A file that is not in the encoding that the plan gives is refused."""
    head = _head("markets: {file: markets.csv, encoding: utf-8}")
    assert "markets.csv" in problem(head=head, markets="регион,price\nСевер,5\n".encode("cp1251"))


def test_messages_after_reading_name_the_planners_column(problem: Problem) -> None:
    """A column that the plan renames is called by its name in the file, also in checks across tables."""
    head = _head(
        "markets: markets.csv, sellers: sellers.csv, "
        "territories: {file: territories.csv, columns: {Регион: region}}"
    )
    text = problem(head=head, territories="seller,Регион\nAnn,Nroth\n")
    assert "territories.csv, row 2, column Регион, value “Nroth”" in text


def test_ranges_are_in_order(problem: Problem) -> None:
    """Low, likely and high of a number must not cross."""
    text = problem(markets="region,potential,potential_low\nN,5,4\nS,5,6\n")
    assert "row 3, column potential_low, value “6”: the range of “potential” is out of order" in text
    text = problem(markets="region,potential_high,potential_low\nN,5,6\n")
    assert "the range of “potential” is out of order" in text


def test_a_label_to_drop_must_exist(problem: Problem) -> None:
    """A label in `drop_rows` that no row has is refused with the nearest."""
    head = _head("markets: {file: markets.csv, drop_rows: [Nort]}")
    text = problem(head=head)
    assert "no row has the label “Nort” that is to be dropped. Nearest: North" in text


def test_a_renamed_column_must_exist(problem: Problem) -> None:
    """A source name in `columns` that the file does not have is refused with the nearest."""
    head = _head("markets: {file: markets.csv, columns: {Prise: price}}")
    assert "no column “Prise”, which “columns” of this table renames. Nearest: price" in problem(head=head)


def test_tables_keep_their_labels_when_shuffled(load: Load) -> None:
    """The order of rows and columns of a file changes nothing but the order."""
    first: Table = load(markets="region,line,price\nN,a,1\nS,b,2\n").tables["markets"]
    second: Table = load(markets="price,line,region\n2,b,S\n1,a,N\n").tables["markets"]
    names = ["region", "line", "price"]
    assert first.frame[names].values.tolist() == second.frame[names].iloc[::-1].values.tolist()
