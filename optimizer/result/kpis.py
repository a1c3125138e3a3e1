"""Every metric and ratio of a plan: for the company and for each label of each column, all together and
by quarter."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.metrics import RATIOS, SALES_METRICS, Metrics
from optimizer.model.scopes import SALES, Members
from optimizer.plan.tables import ALL
from optimizer.report.words import unit_text
from optimizer.result.evaluate import view
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

COLUMNS = ("metric", "unit", "scope", "member", "period", "value")
COMPANY = "company"
ALL_PERIODS = "all"


def kpis(solution: Solution) -> pd.DataFrame:
    """Every metric and ratio that the tables allow.

    Columns: metric; unit (of a share: 0.2 is 20 %); scope (company, or a column of markets or sellers)
    and member (a label of it, blank for the company); period (all, or a quarter); value (blank for a
    ratio of nothing). A metric that is not known in a scope, such as market share by seller, has no rows
    there. Raises `ValueError` without a plan.
    """
    metrics, x = view(solution)
    sums = _Sums(metrics, x)
    parts = []
    columns = scope_columns(solution)
    for scope in ("", *columns, *(name for name in _activity_columns(solution) if name not in columns)):
        for each in (() if not scope else (scope,), ("quarter",) if not scope else (scope, "quarter")):
            for metric in metrics.known():
                members = metrics.scopes.members(each, {}, metrics.known_blocks(metric))
                labels = np.array(members.labels, dtype=object).reshape(members.size, len(each))
                values = sums.of(metric, members, each) if members.size else None
                if values is not None:
                    parts.append(_part(solution, metric, scope, labels, values, each))
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[:-1], "str"))


def scope_columns(solution: Solution) -> list[str]:
    """The columns of markets and sellers under the names that rules use, markets first.

    A column that both have and in which they differ is there twice, as `market.region` and `seller.region`.
    """
    scopes = solution.metrics.scopes
    markets = solution.sellers.markets.labels
    sellers = solution.sellers.inputs.selling.sellers.labels
    found = []
    for side, names in (("market", markets), ("seller", [name for name in sellers if name not in markets])):
        for name in names:
            try:
                scopes.sides(name)
            except InputError:
                found += [f"market.{name}", f"seller.{name}"]
            else:
                found.append(name if side == "market" or ALL not in sellers[name] else f"seller.{name}")
    return found


def _activity_columns(solution: Solution) -> list[str]:
    """Columns of marketing and initiatives."""
    blocks = solution.activities.blocks
    found = [name for block in ("spend", "start") if block in blocks for name in blocks[block].labels]
    return list(dict.fromkeys(found))


def _part(
    solution: Solution,
    metric: str,
    scope: str,
    labels: NDArray[np.object_],
    values: FloatArray,
    each: tuple[str, ...],
) -> pd.DataFrame:
    count = len(values)
    by_quarter = bool(each) and each[-1] == "quarter"
    return pd.DataFrame(
        {
            "metric": metric,
            "unit": unit_text(solution, solution.metrics.unit(metric)),
            "scope": scope or COMPANY,
            "member": labels[:, 0] if scope else np.full(count, "", dtype=object),
            "period": labels[:, -1] if by_quarter else np.full(count, ALL_PERIODS, dtype=object),
            "value": values,
        }
    )


class _Sums:
    """Metrics of one plan by member; each metric of sales is multiplied out over the cells once."""

    def __init__(self, metrics: Metrics, x: FloatArray) -> None:
        self._metrics, self._x = metrics, x
        self._cells: dict[str, FloatArray] = {}

    def of(self, metric: str, members: Members, each: tuple[str, ...]) -> FloatArray | None:
        """The values (K,); None where the metric is not known for these members."""
        try:
            if metric not in RATIOS:
                return self._total(metric, members)
            top, bottom, _ = RATIOS[metric]
            self._metrics.check_columns(metric, members)
            counted = self._metrics.sized(members) if bottom == "market_size" else members
            above, below = self._total(top, counted), self._total(bottom, members)
        except InputError:
            return None
        shift = 1.0 if metric == "growth" else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.abs(below) > 1e-9, above / below - shift, np.nan)

    def _total(self, metric: str, members: Members) -> FloatArray:
        # Only what sales alone add up to; other activities and facts go through their expressions.
        plain = metric in SALES_METRICS and metric != "units" and set(self._metrics.parts(metric)) == {SALES}
        if not plain:
            return self._metrics.terms(metric, members, {}).values(self._x)
        if metric not in self._cells:
            self._cells[metric] = self._metrics.by_cell(metric, self._x)
        inside = (members.pair_code[:, None] >= 0) & (members.period_code[None, :] >= 0)
        member = members.pair_code[:, None] * members.num_period_members + members.period_code[None, :]
        sums = np.bincount(member[inside], weights=self._cells[metric][inside], minlength=members.size)
        return np.asarray(sums, dtype=np.float64)
