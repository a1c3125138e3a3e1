"""Facts about people without names: read by role, refused where they cannot be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.staff import bounds_of_heads, told_heads
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.plan.roles import Roles

MakePlan = Callable[..., Plan]


def roles_of(make_plan: MakePlan, staff: str) -> Roles:
    """The roles of a plan with two closed months: two reps who stay, and others who need a month to come."""
    plan = make_plan(
        periods=4,
        markets="sku,price,potential\na,10,100\n",
        roles="role,headcount,headcount_min,headcount_max,lead_time\nrep,2,2,3,1\nguide,0,,,\n",
        calendar={"as_of": "2027-03-01"},
        actuals="period,sku,role,revenue,hires,leavers\n2027-01,*,*,10,,\n2027-02,*,*,10,,\n" + staff,
    )
    roles = resolve(plan).roles
    assert roles is not None
    return roles


def test_heads_follow_from_what_is_told(make_plan: MakePlan) -> None:
    """Two are hired in January and come in February, one in February who comes when all is open; half a head
    leaves, of all classes alike. Bounds of open months give way to what they have left."""
    roles = roles_of(make_plan, "2027-01,*,rep,,2,0.5\n2027-02,*,rep,,1,\n")
    heads = told_heads(roles)
    assert heads.sum(axis=1)[0] == pytest.approx([1.5, 3.5, 4.5, 4.5])
    assert heads[0, :, 1] == pytest.approx([2.0, *[0.0] * (heads.shape[1] - 2), 1.5])
    least, most = bounds_of_heads(roles, 2)
    assert least[0].tolist() == [0, 0, 2, 2] and most[0].tolist() == [np.inf, np.inf, 4.5, 4.5]


@pytest.mark.parametrize(
    ("staff", "says"),
    [
        ("2027-01-15,*,*,,1,\n", ("row 4, column role", "Name it in the column role")),
        ("2027-01,a,rep,,1,\n", ("column sku, value “a”", "row of its own")),
        ("2027-01,*,rep,5,1,\n", ("column revenue, value “5”", "row of its own")),
        ("2027-01,*,rep,,1.5,\n", ("column hires, value “1.5”", "whole people")),
        ("2027-01,*,rep,,1,\n2027-01-15,*,rep,,,1\n", ("row 5, column period", "stands in row 4")),
        ("2027-02,*,rep,,,3\n", ("column role", "3 heads are said to have left, but only 2 were there")),
        ("2027-01,*,reps,,1,\n", ("value “reps”", "Nearest: rep")),
    ],
)
def test_what_cannot_be_is_an_error_with_its_place(
    make_plan: MakePlan, staff: str, says: tuple[str, ...]
) -> None:
    """Hires without a role, beside other facts, of parts of people or twice, and more leavers than heads."""
    with pytest.raises(InputError) as caught:
        roles_of(make_plan, staff)
    for text in says:
        assert text in str(caught.value)
