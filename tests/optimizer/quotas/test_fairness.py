"""Figures of equal treatment, against numbers known by heart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.plan.plan import Plan
from optimizer.quotas.fairness import correlation, fairness, gini, price_of_fairness
from optimizer.quotas.fairness_rows import fairness_rows
from optimizer.quotas.quota import Quota
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

QUIET = SolveSettings(marginal_values=False, leverage=False)

QuotasOf = Callable[..., tuple[Quota, ...]]
BY = ["region", "team", "seller"]


def test_gini_of_known_values() -> None:
    """Equal values have 0; one of four who has all has 0.75; weights count as people."""
    assert gini(np.array([2.0, 2.0]), np.ones(2)) == pytest.approx(0.0)
    assert gini(np.array([0.0, 0.0, 0.0, 1.0]), np.ones(4)) == pytest.approx(0.75)
    assert gini(np.array([1.0, 3.0]), np.array([2.0, 1.0])) == pytest.approx(
        gini(np.array([1.0, 1.0, 3.0]), np.ones(3))
    )
    assert gini(np.zeros(2), np.ones(2)) is None


def test_correlation_of_nothing_is_none() -> None:
    """Fewer than three pairs, and values that do not vary, have no correlation."""
    assert correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0])) is None
    assert correlation(np.ones(5), np.arange(5.0)) is None
    assert correlation(np.arange(5.0), 10 - 2 * np.arange(5.0)) == pytest.approx(-1.0)


def test_quotas_in_proportion_to_the_plan_are_equal(quotas_of: QuotasOf) -> None:
    """Everybody stretches alike, so spread is 1 and Gini 0, to a rounding step."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 15_000, "over_assignment": {"seller": 0.1}}])
    found = fairness(quota)
    assert found.spread == pytest.approx(1.0, abs=0.01)
    assert found.gini == pytest.approx(0.0, abs=0.001)
    assert found.stretch == pytest.approx(15_000 / quota.plan[0].sum() - 1, abs=0.01)
    assert found.attainability == pytest.approx(quota.plan[0].sum() / 15_000, abs=0.01)
    assert found.size_correlation is None
    assert not found.outside


def test_a_lock_outside_the_band_is_named(quotas_of: QuotasOf) -> None:
    """Who is outside the band is listed with the rule that put him there."""
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 15_000, "round_to": 10}], locks="seller,value,reason\nDan,2000,agreed\n"
    )
    outside = dict(fairness(quota).outside)
    assert outside == {quota.tree.paths.index(("West", "W1", "Dan")): "lock"}


def test_quotas_by_last_year_are_equal_to_last_year(pack_quotas: tuple[Quota, ...]) -> None:
    """Where quotas follow potential, the ratio to potential is equal, not that to the plan."""
    lines = next(quota for quota in pack_quotas if quota.name == "Lines")
    found = fairness(lines)
    assert found.basis == "potential"
    assert found.spread == pytest.approx(1.0, abs=0.02)
    assert np.nanstd(found.stretch) > 0.01


def test_price_of_fairness_is_a_second_solve(pack: Solution) -> None:
    """Without the balance rule the pack earns at least as much; the price is the difference."""
    price = price_of_fairness(pack, QUIET)
    assert price is not None and price.rules == ("Fair load",)
    free = pack.plan.replace(spec=pack.plan.spec.model_copy(update={"balance": []}))
    again = solve(free, QUIET)
    assert price.contribution == pytest.approx(
        again.figure("contribution") - pack.figure("contribution"), abs=1.0
    )


def test_a_plan_without_balance_has_no_price(quotas_of: QuotasOf, company: Callable[..., Plan]) -> None:
    """There is nothing to give up."""
    assert price_of_fairness(solve(company())) is None


def test_who_is_outside_because_of_others(quotas_of: QuotasOf, company: Callable[..., Plan]) -> None:
    """One seller is locked far above the plan, so that all others lie below the band: the lock is named for
    the one, and as a lock of others for the rest; it is not said to be the plan."""
    (quota,) = quotas_of(
        quotas=[{"by": ["region", "seller"], "target": 12_000}], locks="seller,value,reason\nAnn,8000,x\n"
    )
    rows = fairness_rows(company(), quota, "en")
    outside = {str(row["node"]): row for row in rows if row["figure"] == "outside_node"}
    assert set(outside) == {quota.title(node) for node in range(quota.tree.size)[quota.tree.leaves]}
    assert {row["rule"] for row in outside.values()} == {"lock"}
    for node, row in outside.items():
        held = "because a number set by hand holds others" in str(row["sentence"])
        assert held == (node != "East / Ann")
