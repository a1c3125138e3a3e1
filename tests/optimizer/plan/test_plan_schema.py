"""The checked-in JSON Schema of the plan file."""

from __future__ import annotations

import json
from pathlib import Path

from optimizer.plan.json_schema import plan_schema, plan_schema_text


def test_the_checked_in_schema_is_current(root: Path) -> None:
    """docs/plan.schema.json is what the models say; `python -m optimizer.plan.json_schema` writes it."""
    assert (root / "docs" / "plan.schema.json").read_text(encoding="utf-8") == plan_schema_text()


def test_every_entry_is_described() -> None:
    """Each entry of the plan file has a description, so that an editor can show it."""
    schema = plan_schema()
    models = [schema, *schema["$defs"].values()]
    undescribed = [
        name for model in models for name, entry in model["properties"].items() if "description" not in entry
    ]
    assert not undescribed
    assert "oneOf" not in json.dumps(schema)
