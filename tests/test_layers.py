"""The layers point one way: solvers <- optimizer <- scenarios <- cli."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

LAYERS = ("solvers", "optimizer", "scenarios", "cli")
# A "market split" is a class of integer programs.
SALES_WORDS = re.compile(
    r"\b(sales|sellers?|revenue|quotas?|territor(y|ies)|markets?(?! split)|marketing|customers?|budgets?)\b",
    re.IGNORECASE,
)
SOLVER_NAMES = re.compile(
    r"\b(highs|highspy|cbc|pulp|glop|pdlp|scip|cp ?sat|or ?tools|mathopt|gurobi|cplex|xpress|copt|mosek)\b",
    re.IGNORECASE,
)


def modules(root: Path, layer: str) -> list[Path]:
    """Every Python source of a layer."""
    return [root / "cli.py"] if layer == "cli" else sorted((root / layer).rglob("*.py"))


def imported_layers(source: Path, layer: str) -> set[str]:
    """The layers that a module imports, wherever in the module the import stands."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [layer if node.level else node.module or ""]
        found |= {name.partition(".")[0] for name in names} & set(LAYERS)
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_itself_and_lower_ones(root: Path, layer: str) -> None:
    """No module names a layer above its own."""
    allowed = set(LAYERS[: LAYERS.index(layer) + 1])
    found = {str(path.relative_to(root)): imported_layers(path, layer) for path in modules(root, layer)}
    assert {path: sorted(layers - allowed) for path, layers in found.items() if layers - allowed} == {}


def test_the_solver_layer_has_no_sales_word(root: Path) -> None:
    """Names, strings and comments of solvers/ know nothing of selling."""
    wrong = [line for path in modules(root, "solvers") for line in matches(root, path, SALES_WORDS)]
    assert not wrong


def test_the_business_layer_names_no_solver(root: Path) -> None:
    """Names, strings and comments of optimizer/ do not say which solver runs."""
    wrong = [line for path in modules(root, "optimizer") for line in matches(root, path, SOLVER_NAMES)]
    assert not wrong


def matches(root: Path, path: Path, pattern: re.Pattern[str]) -> list[str]:
    """`file:line: text` of every line in which the pattern occurs as a word or as a part of a name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for number, line in enumerate(lines, start=1)
        if pattern.search(re.sub("[_-]", " ", line))
    ]
