"""Quotas of plans: what each rule does to them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.plan.plan import Plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas import assign
from optimizer.quotas.controls import sums_checked
from optimizer.quotas.quota import Quota
from optimizer.result.solution import Solution
from optimizer.solving import solve

QuotasOf = Callable[..., tuple[Quota, ...]]
BY = ["region", "team", "seller"]


def by_seller(quota: Quota) -> dict[str, float]:
    """Seller -> quota of the year."""
    return {
        quota.tree.paths[node][-1]: quota.year[node] for node in range(quota.tree.size)[quota.tree.leaves]
    }


def check_sums(quota: Quota) -> None:
    """Children add up to their parent times the ratio of their levels, to less than a step, in every span."""
    tree, wide = quota.tree, quota.wide / quota.spec.round_to
    assert np.array_equal(wide, np.rint(wide))
    for level in range(tree.depth):
        below, children = np.zeros((tree.size, wide.shape[1])), tree.nodes(level + 1)
        np.add.at(below, tree.parent[children], wide[children])
        nodes = tree.nodes(level)
        ratio = quota.factor[children.start] / quota.factor[nodes.start]
        gap = np.abs(below[nodes] - ratio * wide[nodes])
        full = quota.unassigned[nodes] == 0
        assert (gap[full] < 1.0).all()
        if ratio == 1.0:
            assert (gap[full] == 0.0).all()


def test_short_of_the_target_everybody_stretches_alike(quotas_of: QuotasOf) -> None:
    """A target above the plan raises every quota by the same share."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 15_000, "round_to": 1}])
    leaves = quota.tree.leaves
    stretch = quota.year[leaves] / quota.plan[leaves].sum(axis=1)
    assert quota.year[0] == 15_000
    assert stretch == pytest.approx(15_000 / quota.plan[0].sum(), rel=1e-2)
    assert quota.reserve == 0
    check_sums(quota)


def test_above_the_target_the_rest_is_reserve(quotas_of: QuotasOf) -> None:
    """Quotas add up to the target in proportion to the plan."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 9_000}])
    assert quota.year[0] == 9_000
    assert quota.reserve == pytest.approx(quota.plan[0].sum() - 9_000)
    assert by_seller(quota)["Ann"] == pytest.approx(4_000 * 9_000 / quota.plan[0].sum(), abs=1)


def test_over_assignment_is_against_the_company(quotas_of: QuotasOf) -> None:
    """Teams carry 105 % and sellers 110 % of the company's target, not 115.5 %."""
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 12_000, "over_assignment": {"team": 0.05, "seller": 0.10}}]
    )
    totals = [quota.year[quota.tree.nodes(level)].sum() for level in range(4)]
    assert totals == pytest.approx([12_000, 12_000, 12_600, 13_200], abs=3)
    check_sums(quota)


def test_a_lock_holds_and_the_rest_is_split_again(quotas_of: QuotasOf) -> None:
    """The locked number is exact; everybody else changes in proportion."""
    (free,) = quotas_of(quotas=[{"by": BY, "target": 15_000, "round_to": 10}])
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 15_000, "round_to": 10}], locks="seller,value,reason\nDan,2000,agreed\n"
    )
    before, after = by_seller(free), by_seller(quota)
    assert after["Dan"] == 2_000
    assert quota.acting[quota.tree.paths.index(("West", "W1", "Dan"))] == "lock"
    assert quota.locks[0].reason == "agreed"
    assert after["Ann"] / before["Ann"] == pytest.approx(after["Cem"] / before["Cem"], abs=0.01)
    check_sums(quota)


def test_a_team_can_be_locked(quotas_of: QuotasOf) -> None:
    """A lock of an inner node moves the quotas below it in proportion."""
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 12_000, "round_to": 10, "over_assignment": {"seller": 0.1}}],
        locks="team,value,reason\nE1,7000,agreed\n",
    )
    at = quota.tree.paths.index(("East", "E1"))
    sellers = by_seller(quota)
    assert quota.year[at] == 7_000
    assert sellers["Ann"] + sellers["Bob"] == 7_700
    check_sums(quota)


def test_caps_and_floors_hold(quotas_of: QuotasOf, seller_table: Callable[..., str]) -> None:
    """quota_max and quota_min hold in whole steps, and the rule that acts is known."""
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 15_000, "round_to": 10}],
        sellers=seller_table(Ann={"quota_max": 4505}, Dan={"quota_min": 1998}),
    )
    sellers = by_seller(quota)
    assert sellers["Ann"] == 4_500
    assert sellers["Dan"] == 2_000
    assert [rule for rule in quota.acting if rule] == ["quota_min_max", "quota_min_max"]
    check_sums(quota)


def test_what_all_caps_refuse_is_unassigned(quotas_of: QuotasOf) -> None:
    """No quota stretches further than allowed; the company keeps the rest, which is shown."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 15_000, "stretch_at_most": 0.10}])
    leaves = quota.tree.leaves
    assert (quota.year[leaves] <= 1.1 * quota.plan[leaves].sum(axis=1) + 1e-6).all()
    assert quota.unassigned[0] == pytest.approx(15_000 - 1.1 * quota.plan[0].sum(), abs=6)
    checked, wrong = sums_checked(quota)
    assert checked > 0 and wrong == 0
    # What nobody carries belongs to the sum of the company: without it the sum is off.
    assert sums_checked(replace(quota, unassigned=quota.unassigned * 0.5))[1] == 1
    assert quota.year[0] == 15_000
    check_sums(quota)


def test_bounds_against_last_quota_and_target_pay(quotas_of: QuotasOf) -> None:
    """The change against last quota and the multiple of target pay stay in their bands; newcomers have
    none."""
    (quota,) = quotas_of(quotas=[{
        "by": BY, "target": 15_000, "against_last_quota": {"at_most": 0.2}, "against_target_pay":
        {"at_most": 6},
    }])  # fmt: skip
    sellers = by_seller(quota)
    assert sellers["Ann"] == 4_800  # 6 x 800 binds before 1.2 x 4100
    assert sellers["Bob"] == 2_280  # 1.2 x 1900
    assert sellers["Cem"] == 3_600  # 6 x 600
    check_sums(quota)


def test_open_seats_carry_a_quota_and_are_marked(quotas_of: QuotasOf) -> None:
    """A vacant seat that starts in July ramps up, so its quota begins when something is attainable."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 12_000, "round_to": 1}])
    at = quota.tree.paths.index(("West", "W1", "Eva"))
    assert quota.vacant[at] and quota.ramping[at]
    assert not quota.vacant[:at].any()
    assert (quota.amounts[at, :6] == 0).all()
    assert quota.year[at] > 0


def test_quarters_of_the_target_are_kept(quotas_of: QuotasOf) -> None:
    """A target by quarter gives the company these quarters, and every leaf keeps its year."""
    quarters = {"2027-Q1": 2000, "2027-Q2": 2500, "2027-Q3": 3000, "2027-Q4": 4500}
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": "Steps"}],
        targets=[{"name": "Steps", "metric": "revenue", "each": "quarter", "at_least": quarters}],
    )
    assert quota.wide[0, 12:16].tolist() == list(quarters.values())
    before = quota.stages[-2].values.sum(axis=1)
    assert quota.stages[-1].values.sum(axis=1) == pytest.approx(before)
    check_sums(quota)


def test_the_band_keeps_quotas_near_their_basis(quotas_of: QuotasOf) -> None:
    """With a band around capacity the newcomer's and everybody's quota lie within it."""
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 12_000, "fairness": {"basis": "last_year", "within": 0.1}}]
    )
    leaves = quota.tree.leaves
    basis = quota.bases.last_year.sum(axis=1)
    ratio = quota.year[leaves] / basis * basis.sum() / 12_000
    assert (np.abs(ratio - 1) <= 0.1 + 1e-3).all()
    assert "fairness" in quota.acting
    check_sums(quota)


def test_several_quotas_of_the_main_pack_add_up(pack_quotas: tuple[Quota, ...]) -> None:
    """All four quotas of the pack are exact on every level and in every span."""
    assert [quota.name for quota in pack_quotas] == ["Revenue", "Premium", "New customers", "Lines"]
    for quota in pack_quotas:
        assert not quota.excess.any()
        check_sums(quota)
    assert [quota.year[0] for quota in pack_quotas] == [120e6, 48e6, 1500, 117e6]


def test_the_order_of_rows_does_not_matter(pack: Solution, pack_quotas: tuple[Quota, ...]) -> None:
    """The pack with its tables shuffled has the same quotas, to the last step."""
    random = np.random.default_rng(3)
    plan: Plan = pack.plan
    tables = {}
    for name, table in plan.tables.items():
        order = np.arange(len(table)) if name == "profiles" else random.permutation(len(table))
        tables[name] = table.replace(
            frame=table.frame.iloc[order].reset_index(drop=True), rows=table.rows[order]
        )
    shuffled = assign(solve(plan.replace(tables=tables), pack_settings()))
    for one, other in zip(pack_quotas, shuffled, strict=True):
        assert one.tree.paths == other.tree.paths
        assert (one.steps == other.steps).all()


def pack_settings() -> object:
    """Settings that leave out what is not needed here."""
    from optimizer.settings import SolveSettings

    return SolveSettings(marginal_values=False, leverage=False)


REFUSED = {
    "level_unknown": {"by": ["regoin"]},
    "level_twice": {"by": ["seller", "seller.seller"]},
    "over_level": {"by": BY, "over_assignment": {"tema": 0.1}},
    "over_share": {"by": BY, "over_assignment": {"team": 10}},
    "metric": {"by": BY, "metric": "market_share"},
    "target_unknown": {"by": BY, "target": "Yaer"},
    "target_negative": {"by": BY, "target": -1},
    "band_backwards": {"by": BY, "against_last_quota": {"at_least": 0.2, "at_most": 0.1}},
    "seller_split": {"by": ["line", "seller"], "against_last_quota": {"at_most": 0.1}},
}


@pytest.mark.parametrize("key", REFUSED)
def test_what_cannot_be_meant_is_refused(key: str, quotas_of: QuotasOf) -> None:
    """Slips name what is wrong; unknown levels are found when the file is read."""
    with pytest.raises(InputError) as caught:
        quotas_of(quotas=[REFUSED[key]])
    assert caught.value.key in (f"quotas.{key}", "plan.unknown_scope_column")
    assert caught.value.text("ru")


LOCKS = {
    "lock_step": "seller,value,reason\nAnn,4001,x\n",
    "lock_company": "seller,value,reason\n*,4000,x\n",
    "lock_twice": "seller,team,value,reason\nAnn,*,4000,x\nAnn,E1,4100,x\n",
    "row_level": "line,value,reason\nA,4000,x\n",
    "row_no_node": "seller,team,value,reason\nAnn,W1,4000,x\n",
    "row_several_nodes": "sales_channel,value,reason\ndirect,4000,x\n",
    "row_quota": "quota,seller,value,reason\nrevneue,Ann,4000,x\n",
    "floors_too_high": "seller,value,reason\nAnn,9000,x\nBob,9000,x\n",
}


@pytest.mark.parametrize("key", LOCKS)
def test_locks_that_cannot_hold_are_refused(key: str, quotas_of: QuotasOf) -> None:
    """Each row that cannot be used says why."""
    by = ["region", "sales_channel", "seller"] if key == "row_several_nodes" else BY
    with pytest.raises(InputError) as caught:
        quotas_of(quotas=[{"by": by, "target": 12_000, "round_to": 10}], locks=LOCKS[key])
    assert caught.value.key == f"quotas.{key}"
    assert caught.value.text("zh")


def test_weaker_floors_give_way(quotas_of: QuotasOf) -> None:
    """Floors from last quota that do not fit into the target are given up, and it is said."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 5_000, "against_last_quota": {"at_least": 0.0}}])
    assert quota.gave_way == ("against_last_quota",)
    check_sums(quota)


def test_without_a_plan_there_are_no_quotas(pack: Solution) -> None:
    """A solution without a plan is refused."""
    with pytest.raises(ValueError, match="no plan"):
        assign(replace(pack, sales=None))


def test_negative_bases_are_refused(quotas_of: QuotasOf) -> None:
    """A margin below zero cannot be divided."""
    header = "region,price,margin_rate,last_year_revenue,potential"
    markets = f"{header}\nEast,1,-0.2,6000,90000\nWest,1,0.5,4000,90000\n"
    with pytest.raises(InputError) as caught:
        quotas_of(
            quotas=[{"by": ["region"], "metric": "margin"}],
            markets=markets,
            targets=[{"metric": "revenue", "at_least": 11_000}],
        )
    assert caught.value.key == "quotas.basis_negative"
    assert "East" in caught.value.text()
    with pytest.raises(InputError) as caught:
        # Nobody may sell what loses money, so that the plan has no negative figure, but last year has.
        quotas_of(
            quotas=[{"by": ["region"], "metric": "margin", "fairness": {"basis": "last_year"}}],
            markets=markets,
            limits=[{"metric": "revenue", "where": {"market.region": "East"}, "at_most": 0}],
        )
    assert caught.value.key == "quotas.basis_below_zero"
    assert "East" in caught.value.text()


def test_a_quota_across_lines_is_exact_in_every_direction(pack: Solution) -> None:
    """Sellers by lines by months: line totals of every team, month totals of every line, all in whole
    steps."""
    spec = QuotaSpec(name="Across", by=["region", "team", "seller"], across=["line"], round_to=1000)
    plan = pack.plan.replace(spec=pack.plan.spec.model_copy(update={"quotas": [spec]}))
    (quota,) = assign(replace(pack, plan=plan))
    check_sums(quota)
    assert not quota.excess.any()
    kinds, labels = quota.spans.all_kinds, quota.spans.all_labels
    columns = dict(zip(zip(kinds, labels, strict=True), range(len(labels)), strict=True))
    year = quota.wide[:, columns["year", "2027"]]
    assert np.array_equal(
        quota.wide[:, columns["line year", "premium · 2027"]]
        + quota.wide[:, columns["line year", "standard · 2027"]],
        year,
    )
    assert year[0] == 120e6
    one = quota.tree.paths.index(("East", "East-1", "Li Wei"))
    premium = (
        pack.figure("revenue", {"seller": ["Li Wei"], "line": ["premium"]}) * 120e6 / pack.figure("revenue")
    )
    assert quota.wide[one, columns["line year", "premium · 2027"]] == pytest.approx(premium, abs=2500)


def test_across_needs_a_column_of_markets(quotas_of: QuotasOf) -> None:
    """A column of sellers belongs into by."""
    with pytest.raises(InputError) as caught:
        quotas_of(quotas=[{"by": BY, "across": ["team"]}])
    assert caught.value.key == "quotas.across_unknown"
