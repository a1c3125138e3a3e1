"""The plan that scenarios start from: as it was read, and put together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from optimizer.io.yaml import load_yaml
from optimizer.plan.load import Content, as_written, plan_of, read_content
from optimizer.plan.plan import Plan


@dataclass(frozen=True)
class Base:
    """A plan and the content that it was made of; a scenario is a changed copy of the content."""

    content: Content
    plan: Plan

    @property
    def folder(self) -> Path:
        """The plan's folder."""
        return self.content.folder

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names and digests of all files of the plan."""
        return digest_of(self.plan.inputs)


def load_base(path: str | Path) -> Base:
    """Read a plan file and its tables; raises like `load_plan`."""
    file = Path(path)
    if file.is_dir():
        file /= "plan.yaml"
    document = load_yaml(file, file.name)
    content = read_content(as_written(document), file.parent, file.name, document.lines)
    return Base(content, plan_of(content))


def digest_of(values: Mapping[str, object]) -> str:
    """SHA-256 of a mapping written as JSON with sorted keys."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
