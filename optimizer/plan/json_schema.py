"""The JSON Schema of the plan file, for editors.

`python -m optimizer.plan.json_schema > docs/plan.schema.json` brings the checked-in copy up to date.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from optimizer.plan.schema import PlanSpec


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a plan file may hold, descriptions included."""
    schema = _any_of(PlanSpec.model_json_schema(mode="validation"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Apportion plan"}


def _any_of(part: Any) -> Any:
    """`oneOf` becomes `anyOf`: a bound `{file: values.csv}` looks like a map of bounds as well as a table."""
    if isinstance(part, dict):
        return {"anyOf" if key == "oneOf" else key: _any_of(value) for key, value in part.items()}
    return [_any_of(value) for value in part] if isinstance(part, list) else part


def plan_schema_text() -> str:
    """The schema as the text of `docs/plan.schema.json`."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(plan_schema_text())
