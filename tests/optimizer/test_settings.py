"""Settings of a solve: what the plan says counts where the command says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.plan.load import plan_from_data
from optimizer.settings import SolveSettings
from optimizer.solving import solve


def plan_data(proof_gap: object) -> dict[str, object]:
    """Two campaigns of which one can be paid, one a little better."""
    return {
        "name": "Gap",
        "calendar": {"start": "2027-01-01", "periods": 1},
        "proof_gap": proof_gap,
        "tables": {"initiatives": "initiatives.csv"},
    }


def test_the_gap_of_the_plan_counts_unless_the_settings_have_one() -> None:
    """`--gap` wins over `proof_gap`, and that over the solver's own."""
    assert SolveSettings().solve_options().gap is None
    assert SolveSettings().solve_options(0.01).gap == 0.01
    assert SolveSettings(gap=0.002).solve_options(0.01).gap == 0.002


def test_a_plan_with_a_proof_gap_is_solved_and_says_how_near_it_is(tmp_path: Path) -> None:
    """An answer within the gap that the plan asks for is called proved within what was proved."""
    folder = tmp_path
    (folder / "initiatives.csv").write_text(
        "initiative,cost,benefit\nFair,10,30\nBlog,5,9\n", encoding="utf-8"
    )
    solution = solve(plan_from_data(plan_data(0.01), folder))
    money = solution.stages[0]
    assert money.value == pytest.approx(24.0)
    assert money.result is not None and money.result.bound is not None
    assert abs(money.result.bound - 24.0) <= 0.01 * 24.0 + 1e-6


@pytest.mark.parametrize("gap", [0, -0.1, 1])
def test_a_proof_gap_is_a_share_above_nothing(gap: object, tmp_path: Path) -> None:
    """A gap of 0 can be asked of nobody, and one of 1 says nothing."""
    folder = tmp_path
    (folder / "initiatives.csv").write_text("initiative,cost,benefit\nFair,10,30\n", encoding="utf-8")
    with pytest.raises(InputError, match="proof_gap"):
        plan_from_data(plan_data(gap), folder)
