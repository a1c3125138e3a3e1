"""Plans of earlier runs: kept as they are, and frozen in part."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.quotas import assign
from optimizer.report.compose import page
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.explaining import solved_run
from scenarios.keeping import keep
from scenarios.running import run_plan

near = partial(pytest.approx, rel=1e-4)
QUICK = SolveSettings(marginal_values=False, leverage=False)
MARKETS = "region,price,margin_rate,potential\nNorth,10,0.5,8\nSouth,10,0.3,20\n"
TABLES = {
    "markets": MARKETS,
    "sellers": "seller,capacity,capacity_unit\nAnna,6,units\nBen,6,units\n",
    "marketing": "channel,max_spend\nradio,10\nfair,10\n",
    "curves": "channel,family,top,half\nradio,michaelis_menten,9,4\nfair,michaelis_menten,12,6\n",
    "initiatives": "initiative,cost,benefit\nsite,2,5\n",
}
BUDGET = {"name": "Budget", "metric": "marketing_cost", "equals": 9}
LEADS = {"objective": [{"maximize": "leads"}, {"maximize": "contribution"}]}
Write = Callable[..., Path]


def plan_file(folder: Path, **entries: Any) -> Path:
    """The plan with more entries, its tables beside it."""
    for name, content in TABLES.items():
        if not (folder / f"{name}.csv").exists():
            (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    data = {
        "name": "Test",
        "calendar": {"start": "2027-01-01", "periods": 1},
        "tables": {name: f"{name}.csv" for name in TABLES},
        "budgets": [BUDGET],
        **entries,
    }
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the plan with more entries and gives its file."""

    def make(**entries: Any) -> Path:
        return plan_file(tmp_path, **entries)

    return make


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the plan that looks for leads first."""
    folder = tmp_path_factory.mktemp("earlier")
    run = run_plan(plan_file(folder, **LEADS), folder / "before", QUICK)
    assert run.solution.status is Status.OPTIMAL
    return folder / "before"


@pytest.fixture
def run(earlier: Path, tmp_path: Path) -> Path:
    """That run, in the folder of the plan."""
    return Path(shutil.copytree(earlier, tmp_path / "before"))


def spend(solution: Solution) -> dict[str, float]:
    """Cost by channel."""
    return {channel: solution.figure("marketing_cost", {"channel": channel}) for channel in ("radio", "fair")}


def test_a_kept_plan_is_the_plan(write: Write, run: Path) -> None:
    """In the same world it brings what it brought."""
    before = solve(load_plan(write(**LEADS)), QUICK)
    kept = keep(load_plan(write(**LEADS)), run, QUICK)
    assert kept.status is Status.OPTIMAL
    for metric in ("revenue", "contribution", "leads", "marketing_cost", "starts"):
        assert kept.figure(metric) == pytest.approx(before.figure(metric), rel=1e-5)
    assert spend(kept) == pytest.approx(spend(before), rel=3e-6)


def test_a_kept_plan_loses_what_the_world_takes(write: Write, run: Path, tmp_path: Path) -> None:
    """With half the potential of the North its sales are cut, nobody sells more elsewhere, and the target that is
    missed is measured."""
    file = write(**LEADS, targets=[{"name": "Year", "metric": "units", "at_least": 12}])
    (tmp_path / "markets.csv").write_text(MARKETS.replace("0.5,8", "0.5,4"), encoding="utf-8")
    kept = keep(load_plan(file), run, QUICK)
    assert kept.figure("units", {"region": "North"}) == pytest.approx(4.0)
    assert kept.figure("units", {"region": "South"}) == pytest.approx(4.0, rel=1e-5)
    assert [outcome.status for outcome in kept.outcomes if outcome.rule == "Year"] == ["short"]
    assert solve(load_plan(file), QUICK).figure("units") == pytest.approx(12.0)


def test_a_kept_run_says_so(write: Write, run: Path, tmp_path: Path) -> None:
    """Its page and summary name the run, and explaining it is refused."""
    found = run_plan(write(**LEADS), tmp_path / "kept", QUICK, kept=run)
    assert found.summary["kept"] == "before"
    assert "The plan of before, kept" in (tmp_path / "kept" / "page.txt").read_text(encoding="utf-8")
    with pytest.raises(InputError) as caught:
        solved_run(tmp_path / "kept")
    assert caught.value.key == "modes.kept_unexplained"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "whether another plan would be better"),
        ("ru", "нет ли плана лучше"),
        ("zh", "是否另有更好的计划"),
    ],
)
def test_a_kept_plan_is_not_called_the_best(write: Write, run: Path, language: str, words: str) -> None:
    """The page says what is proved of it: the most that its decisions allow."""
    text = " ".join(page(keep(load_plan(write(**LEADS, language=language)), run, QUICK), 200).split())
    assert words in text
    assert text.count("best one") + text.count("он лучший") + text.count("最优的") == 0


PEOPLE = {
    "markets": "line,price,margin_rate,potential\nA,10,0.5,60\n",
    "sellers": "seller,status,capacity,capacity_unit,capacity_per,ramp,cost\n"
    "Anna,,8,units,period,,\nNew,open,10,units,period,none,20\n",
    "initiatives": "initiative,cost,latest\ncourse,5,2027-01\n",
    "effects": "initiative,changes,kind,likely,after\ncourse,price,,1,1\ncourse,capacity,multiply,1.5,1\n",
}


@pytest.mark.parametrize("price", [10, 1])
def test_a_plan_with_effects_and_hires_is_kept(tmp_path: Path, price: float) -> None:
    """Starts and hires stay, with what they cost and change, also where nobody would take them again."""
    flat = "profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13))
    tables = PEOPLE | {"profiles": flat}
    for name, content in tables.items():
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
    calendar = {"start": "2027-01-01", "periods": 2}
    spec = {"name": "People", "calendar": calendar, "tables": {name: f"{name}.csv" for name in tables}}
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(spec), encoding="utf-8")
    before = run_plan(file, tmp_path / "before", QUICK).solution
    assert before.figure("starts") == near(1) and before.figure("hires") == near(1)
    (tmp_path / "markets.csv").write_text(tables["markets"].replace("A,10", f"A,{price}"), encoding="utf-8")
    kept = keep(load_plan(file), tmp_path / "before", QUICK)
    sold = [before.figure("units", {"period": month}) for month in ("2027-01", "2027-02")]
    assert [kept.figure("units", {"period": month}) for month in ("2027-01", "2027-02")] == near(sold)
    for metric in ("starts", "hires", "hiring_cost", "initiative_cost", "units"):
        assert kept.figure(metric) == near(before.figure(metric))
    assert kept.figure("revenue") == near(price * sum(sold) + sold[1])
    money = kept.figure("contribution")
    assert money == near(0.5 * price * sum(sold) + sold[1] - 2 * 20 - 5)
    best = solve(load_plan(file), QUICK).figure("contribution")
    assert best == near(money) if price == 10 else best > money + 1


def test_prices_by_volume_are_those_of_the_new_world(write: Write, run: Path, tmp_path: Path) -> None:
    """The spend stays, and what of it lies beyond the discount's beginning costs a half."""
    before = solve(load_plan(write(**LEADS)), QUICK)
    data = yaml.safe_load(write(**LEADS).read_text(encoding="utf-8"))
    (tmp_path / "tiers.csv").write_text("channel,above_spend,price_factor\nfair,2,0.5\n", encoding="utf-8")
    file = write(**LEADS, tables={**data["tables"], "tiers": "tiers.csv"})
    kept = keep(load_plan(file), run, QUICK)
    fair = spend(before)["fair"]
    assert spend(kept)["fair"] == pytest.approx(2 + (fair - 2) / 2, rel=1e-5)
    assert kept.figure("leads") == pytest.approx(before.figure("leads"), rel=1e-5)


def test_what_is_no_run_cannot_be_kept(write: Write, tmp_path: Path) -> None:
    """A folder without a summary is refused."""
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError) as caught:
        keep(load_plan(write()), tmp_path / "other", QUICK)
    assert caught.value.key == "modes.keep_no_run"


def test_frozen_marketing_stays(write: Write, run: Path) -> None:
    """Whatever the plan looks for, the spend is that of the run; everything else is free."""
    before = solve(load_plan(write(**LEADS)), QUICK)
    cheap = {"name": "Budget", "metric": "marketing_cost", "at_most": 9}
    frozen = {"run": run.name, "what": "marketing"}
    free = solve(load_plan(write(budgets=[cheap])), QUICK)
    kept = solve(load_plan(write(budgets=[cheap], freeze=[frozen])), QUICK)
    again = solve(load_plan(write(**LEADS, budgets=[cheap], freeze=[frozen])), QUICK)
    assert free.figure("marketing_cost") == pytest.approx(0.0, abs=1e-6)
    assert spend(kept) == pytest.approx(spend(before), rel=3e-6)
    assert again.figure("leads") == pytest.approx(before.figure("leads"), rel=1e-5)


def test_a_frozen_scope_is_like_rules_that_say_the_same(write: Write, run: Path) -> None:
    """Freezing one channel is as good as the rule `equals` with what it got."""
    before = spend(solve(load_plan(write(**LEADS)), QUICK))
    cheaper = {"name": "Budget", "metric": "marketing_cost", "at_most": 7}
    frozen = {"run": run.name, "what": ["marketing"], "where": {"channel": "radio"}}
    rule = {
        "name": "radio", "metric": "marketing_cost", "where": {"channel": "radio"}, "equals": before["radio"],
    }  # fmt: skip
    by_freeze = solve(load_plan(write(**LEADS, budgets=[cheaper], freeze=[frozen])), QUICK)
    by_rule = solve(load_plan(write(**LEADS, budgets=[cheaper], limits=[rule])), QUICK)
    assert spend(by_freeze) == pytest.approx(spend(by_rule), rel=1e-4)
    assert by_freeze.figure("leads") == pytest.approx(by_rule.figure("leads"), rel=1e-5)


def test_frozen_initiatives_and_sales(write: Write, run: Path) -> None:
    """The start stays though it costs more now, and each seller keeps his own sales."""
    before = solve(load_plan(write(**LEADS)), QUICK)
    frozen = [{"run": run.name, "what": ["initiatives", "sales"]}]
    lazy = [{"minimize": "starts"}, {"maximize": "contribution"}]
    kept = solve(load_plan(write(freeze=frozen, objective=lazy)), QUICK)
    assert kept.status is Status.OPTIMAL
    assert kept.figure("starts") == pytest.approx(1.0)
    for seller in ("Anna", "Ben"):
        assert kept.figure("units", {"seller": seller}) == pytest.approx(
            before.figure("units", {"seller": seller})
        )


def test_a_freeze_that_contradicts_is_named(write: Write, run: Path) -> None:
    """A budget below the frozen spend has no plan, and both are named."""
    frozen = [{"name": "Booked", "run": run.name, "what": "marketing"}]
    tight = {"name": "Budget", "metric": "marketing_cost", "at_most": 5}
    solution = solve(load_plan(write(budgets=[tight], freeze=frozen)), QUICK)
    assert solution.status is Status.NO_PLAN
    assert solution.contradiction is not None
    names = {repair.name for repair in solution.contradiction.conflicting}
    assert {"Budget", "Booked"} <= names


EVERY = PEOPLE | {
    "profiles": "profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
    "marketing": "channel,max_spend\nads,50\n",
    "resources": "resource,capacity,extra_price\nkit,10,1\n",
    "uses": "activity,resource,amount\nsell,kit,1\n",
    "roles": "role,headcount,hire_max,cost,ramp\nhelper,1,2,1,none\n",
}


def every_plan(folder: Path, **entries: Any) -> Path:
    """A plan with every kind of decision: sales, marketing, starts, hires of seats and roles, extra resources,
    quotas."""
    for name, content in EVERY.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    data = {
        "name": "Every",
        "calendar": {"start": "2027-01-01", "periods": 2},
        "tables": {name: f"{name}.csv" for name in EVERY},
        "quotas": [{"name": "Units", "metric": "units", "by": ["seller"], "target": 45, "round_to": 1}],
        **entries,
    }
    (folder / "plan.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return folder / "plan.yaml"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Solution]:
    """A run of that plan in which everything happens."""
    folder = tmp_path_factory.mktemp("busy")
    asked = {"marketing_cost": 30, "role_heads": 4, "extra_cost": 12}
    floors = [{"metric": metric, "at_least": least} for metric, least in asked.items()]
    run = run_plan(every_plan(folder, limits=floors), folder / "before", QUICK)
    assert run.solution.status is Status.OPTIMAL
    return folder / "before", run.solution


@pytest.mark.parametrize(
    ("what", "metrics"),
    [
        ("sales", ["units", "hours"]),
        ("marketing", ["marketing_cost"]),
        ("initiatives", ["starts"]),
        ("hires", ["hires", "headcount"]),
        ("resources", ["extra_cost"]),
    ],
)
def test_each_part_can_be_frozen(
    tmp_path: Path, busy: tuple[Path, Solution], what: str, metrics: list[str]
) -> None:
    """In a plan that would rather do without it the part stays, and without the freeze it does not."""
    run, before = busy
    shutil.copytree(run, tmp_path / "before")
    lazy = {"objective": [{"minimize": metrics[0]}]}
    free = solve(load_plan(every_plan(tmp_path, **lazy)), QUICK)
    kept = solve(load_plan(every_plan(tmp_path, **lazy, freeze=[{"run": "before", "what": what}])), QUICK)
    assert free.figure(metrics[0]) < before.figure(metrics[0]) - 0.5
    for metric in metrics:
        assert kept.figure(metric) == near(before.figure(metric))


def test_quotas_can_be_frozen(tmp_path: Path, busy: tuple[Path, Solution]) -> None:
    """Half the capacity, and the same quotas; of one seller alone where the scope says so; errors name the
    line."""
    run, before = busy
    shutil.copytree(run, tmp_path / "before")
    (old,) = assign(before)
    sellers = PEOPLE["sellers"].replace("Anna,,8", "Anna,,4")

    def quota(**entry: Any) -> dict[str, float]:
        file = every_plan(tmp_path, freeze=[{"run": "before", "what": "quotas", **entry}] if entry else [])
        (tmp_path / "sellers.csv").write_text(sellers, encoding="utf-8")
        (found,) = assign(solve(load_plan(file), QUICK))
        assert not entry or "kept from the run" in found.locks[0].reason
        return dict(zip((found.title(n) for n in range(found.tree.size)), found.year.tolist(), strict=True))

    was = dict(zip((old.title(n) for n in range(old.tree.size)), old.year.tolist(), strict=True))
    assert quota()["Anna"] < was["Anna"]
    assert quota(name="Signed")["Anna"] == was["Anna"]
    assert quota(where={"seller": "Anna"})["Anna"] == was["Anna"]
    for key, entry in (
        ("modes.freeze_column", {"where": {"line": "A"}}),
        ("model.run_missing", {"run": "nowhere"}),
    ):
        with pytest.raises(InputError) as caught:
            quota(**entry)
        assert caught.value.key == key


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("modes.freeze_unknown", {"what": "hours"}),
        ("modes.freeze_unknown", {"what": "marketting"}),
        ("modes.freeze_column", {"what": "marketing", "where": {"region": "North"}}),
        ("model.run_missing", {"what": "marketing", "run": "nowhere"}),
    ],
)
def test_freezes_that_make_no_sense(write: Write, run: Path, key: str, entry: dict[str, Any]) -> None:
    """Unknown parts, columns and runs are errors that name the line."""
    with pytest.raises(InputError) as caught:
        solve(load_plan(write(freeze=[{"run": run.name, **entry}])), QUICK)
    assert caught.value.key == key
    assert caught.value.place.line is not None


def test_a_freeze_without_common_labels(write: Write, run: Path, tmp_path: Path) -> None:
    """Where every channel has another name, nothing is silently frozen at 0."""
    file = write(freeze=[{"run": run.name, "what": "marketing"}])
    for name in ("marketing", "curves"):
        text = TABLES[name].replace("radio", "audio").replace("fair", "expo")
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        solve(load_plan(file), QUICK)
    assert caught.value.key == "modes.freeze_nothing"


def test_a_switch_that_the_run_did_not_know_is_free(write: Write, run: Path) -> None:
    """Spend stays where a channel has got a fixed cost since; whether it is used follows (found by random plans)."""
    file = write(**LEADS, budgets=[], freeze=[{"run": run.name, "what": "marketing"}])
    table = file.parent / "marketing.csv"
    rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text(
        "\n".join([f"{rows[0]},fixed_cost", *(f"{row},1" for row in rows[1:])]), encoding="utf-8"
    )
    assert solve(load_plan(file), QUICK).status is Status.OPTIMAL
