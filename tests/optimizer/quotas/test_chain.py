"""Every number of a quota letter is the sum of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.plan.load import load_plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas import assign
from optimizer.quotas.chain import PARTS, chain, chain_parts
from optimizer.quotas.controls import sums_checked
from optimizer.quotas.quota import Quota
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios import examples as packs

QUIET = SolveSettings(marginal_values=False, leverage=False)

QuotasOf = Callable[..., tuple[Quota, ...]]
BY = ["region", "team", "seller"]


def test_chains_of_the_main_pack_add_up(pack_quotas: tuple[Quota, ...]) -> None:
    """For every node, span and quota the steps add up to the quota, in whole parts."""
    for quota in pack_quotas:
        nodes = list(range(quota.tree.size))
        names, parts = chain_parts(quota, nodes)
        assert names[-1] == "rounding"
        steps = np.diff(parts, axis=-1, prepend=0)
        whole = quota.spans.wide(quota.steps) * PARTS
        assert (steps.sum(axis=-1) == whole).all()
        for node in range(quota.tree.size):
            for span in range(len(quota.spans.all_labels)):
                found = chain(quota, node, span)
                assert (
                    sum(round(step.adds / quota.spec.round_to * PARTS) for step in found) == whole[node, span]
                )


LEVELS = ("region", "province", "team", "line")


def check_chains(quota: Quota) -> None:
    """Every leaf in every span: the steps add up to the quota in whole parts, every stage divides the whole
    target (plan and basis: the whole plan), and rounding moves no number by more than a step a level."""
    assert sums_checked(quota)[1] == 0
    for stage in quota.stages:
        whole = quota.plan[0].sum() if stage.name in ("plan", "basis") else quota.target.total
        assert stage.values[0].sum() == pytest.approx(whole)
        lowest = stage.values[quota.tree.leaves].sum()
        carried = 1.0 if stage.name in ("last_year", "plan", "basis", "stretch") else quota.factor[-1]
        assert lowest == pytest.approx(carried * whole) or quota.unassigned.any()
    names, parts = chain_parts(quota, list(range(quota.tree.size)))
    assert names[-1] == "rounding"
    steps = np.diff(parts, axis=-1, prepend=0)
    assert (steps.sum(axis=-1) == quota.spans.wide(quota.steps) * PARTS).all()
    assert (np.abs(steps[..., -1]) <= (quota.tree.level[:, None] + 1) * PARTS).all()


SLOW = {"premium_chain"}
"""Packs that take a minute to solve."""


@pytest.mark.parametrize(
    "pack_name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in packs.names()]
)
def test_chains_of_every_pack_add_up(pack_name: str) -> None:
    """Every leaf of every pack, in every span, with over-assignment and in steps of 10; then the quotas that
    the pack comes with."""
    plan = load_plan(packs.FOLDER / pack_name)
    people = "sellers" in plan.tables
    labels = plan.tables["sellers" if people else "markets"].labels
    levels = [level for level in LEVELS if level in labels] or list(labels)
    by = [*(level for level in levels if level != "seller"), *(["seller"] if people else [])]
    spec = QuotaSpec(by=by, over_assignment={by[-1]: 0.1}, round_to=10)
    solution = solve(plan.replace(spec=plan.spec.model_copy(update={"quotas": [spec]})), QUIET)
    quotas = [*assign(solution), *(assign(replace(solution, plan=plan)) if plan.spec.quotas else ())]
    for quota in quotas:
        check_chains(quota)


@st.composite
def specs(draw: st.DrawFn) -> QuotaSpec:
    """A quota of the main pack: levels, spans, target, over-assignment, step, basis, band, bounds."""
    by = draw(
        st.sampled_from([["seller"], ["region", "seller"], ["region", "team", "seller"], ["team", "line"]])
    )
    share = st.sampled_from([0.0, 0.03, 0.1, 0.25])
    within = draw(st.sampled_from([None, 0.1, 0.3]))
    basis = draw(st.sampled_from(["plan", "last_year", "potential", "capacity"]))
    return QuotaSpec(
        name="Any",
        by=by,
        per=draw(st.sampled_from(["period", "quarter", "year"])),
        target=draw(st.sampled_from([None, "Quarters", "90000000", "150000000"])),
        over_assignment={level: draw(share) for level in by},
        round_to=draw(st.sampled_from([1, 500, 1_000, 50_000])),
        fairness={"basis": basis, "within": within},
        stretch_at_most=draw(st.sampled_from([None, 0.1, 0.5])),
        against_last_quota=draw(st.sampled_from([None, {"at_least": -0.1, "at_most": 0.3}])),
        against_target_pay=draw(st.sampled_from([None, {"at_most": 8}])),
        seller_bounds=by[-1] == "seller",
    )


@settings(max_examples=40, deadline=None)
@given(spec=specs())
def test_chains_of_any_quota_add_up(spec: QuotaSpec, pack: Solution) -> None:
    """The same for quotas drawn at random on the main pack."""
    plan = pack.plan.replace(spec=pack.plan.spec.model_copy(update={"quotas": [spec]}))
    (quota,) = assign(replace(pack, plan=plan))
    check_chains(quota)


def test_the_steps_say_what_acted(quotas_of: QuotasOf, seller_table: Callable[..., str]) -> None:
    """A capped seller, a seller who takes over the rest, and a seller of a locked team."""
    (quota,) = quotas_of(
        quotas=[{"by": BY, "target": 15_000, "round_to": 10, "over_assignment": {"seller": 0.1}}],
        sellers=seller_table(Ann={"quota_max": 5000}),
        locks="team,value,reason\nW1,1500,agreed\n",
    )
    year = len(quota.spans.all_labels) - 1
    paths = quota.tree.paths

    def steps(path: tuple[str, ...]) -> dict[str, tuple[float, str]]:
        return {step.name: (step.adds, step.whose) for step in chain(quota, paths.index(path), year)}

    ann = steps(("East", "E1", "Ann"))
    assert ann["quota_min_max"][1] == "own"
    assert sum(adds for adds, _ in ann.values()) == pytest.approx(5_000)
    assert ann["over_assignment"][0] == pytest.approx(4_000 * 15_000 / quota.plan[0].sum() * 0.1, rel=1e-3)
    assert steps(("East", "E1", "Bob"))["quota_min_max"][1] == "others"
    assert steps(("East", "E1"))["quota_min_max"][1] == "below"
    assert steps(("West", "W1", "Dan"))["lock"][1] == "above"
    assert steps(("West", "W1"))["lock"][1] == "own"


def test_a_plan_above_the_target_has_a_reserve(quotas_of: QuotasOf) -> None:
    """The step from plan to quota is then called reserve and is negative."""
    (quota,) = quotas_of(quotas=[{"by": BY, "target": 9_000}])
    names = [step.name for step in chain(quota, 0, len(quota.spans.all_labels) - 1)]
    assert names[:3] == ["last_year", "plan", "reserve"]
