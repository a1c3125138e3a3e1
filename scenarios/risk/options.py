"""What is asked for beside a risk file, put into the file: one place says what is decided and prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from optimizer.plan.problems import explained
from scenarios.risk.riskfile import Risk, risk_of
from scenarios.risk.schema import RiskSpec


def asked_for(
    risk: Risk,
    futures: int | None = None,
    reduce_to: int | None = None,
    reach: Mapping[str, float] | None = None,
    robust: float | None = None,
    prepare_by: int | None = None,
) -> Risk:
    """The risk file with other futures, chances, robustness or preparations; raises like `load_risk`."""
    decide = {"futures": futures, "reduce_to": reduce_to, "reach": dict(reach or {}) or None}
    parts: dict[str, dict[str, Any]] = {
        "decide": decide, "robust": {"budget": robust}, "contingency": {"visible_by": prepare_by},
    }  # fmt: skip
    given = risk.spec.model_dump()
    changed = {}
    for name, wanted in parts.items():
        known = {key: value for key, value in wanted.items() if value is not None}
        if known:
            changed[name] = {**(given[name] or {}), **known}
    if not changed:
        return risk
    try:
        spec = RiskSpec.model_validate({**given, **changed})
    except ValidationError as error:
        raise explained(error, risk.source, known=list(RiskSpec.model_fields)) from None
    return risk_of(spec, risk.base, risk.source, risk.further)
