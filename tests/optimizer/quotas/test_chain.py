"""Every number of a quota letter is the sum of its steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.plan.load import load_plan
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas import assign
from optimizer.quotas.chain import PARTS, chain, chain_parts
from optimizer.quotas.controls import sums_checked
from optimizer.quotas.quota import Quota
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.examples import FOLDER

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


PACKS = {
    "markets_only": ["region", "line"],
    "people_and_target": ["team", "seller"],
    "premium_year": ["region", "team", "seller"],
    "regional_ru": ["seller"],
}


@pytest.mark.parametrize("pack_name", PACKS)
def test_chains_of_every_pack_add_up(pack_name: str) -> None:
    """Every leaf of every pack, in every span, with over-assignment and in steps of 10."""
    plan = load_plan(FOLDER / pack_name)
    table = plan.tables.get("sellers", plan.tables["markets"])
    by = [name for name in PACKS[pack_name] if name in ("seller", *table.labels)] or list(table.labels)
    spec = QuotaSpec(by=by, over_assignment={by[-1]: 0.1}, round_to=10)
    solution = solve(plan.replace(spec=plan.spec.model_copy(update={"quotas": [spec]})), QUIET)
    (quota,) = assign(solution)
    assert sums_checked(quota)[1] == 0
    _, parts = chain_parts(quota, list(range(quota.tree.size)))
    steps = np.diff(parts, axis=-1, prepend=0)
    assert (steps.sum(axis=-1) == quota.spans.wide(quota.steps) * PARTS).all()


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
