"""`apportion solvers` lists the solvers, or compares them on a plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from scenarios.commands.options import plan_file
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("solvers", short_help="List the solvers, or compare them on a plan.")
@click.option(
    "--compare", "plan", type=click.Path(path_type=Path), metavar="PLAN", help="Solve PLAN by each of them."
)
@click.option(
    "--solvers", "chosen", metavar="A,B,..", help="Compare these; all that can take the plan if not given."
)
@click.option(
    "--stage", metavar="NAME", help="Compare this stage of the objective; the money stage if not given."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop each solver after so many seconds.",
)
@click.option(
    "--relax",
    is_flag=True,
    help="Drop whole numbers and take response curves by their concave envelopes, so that solvers of linear "
    "programs can join.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the table for a program.")
def solvers(plan: Path | None, chosen: str | None, as_json: bool, **choices: Any) -> None:
    """List the solvers: what is installed, its version, and what it can do.

    With --compare, solve PLAN by each of them in a process of its own, and judge the answers: the same
    optimum, another one, looser, worse, wrong, or none. Exit code 6 when a solver gives a wrong answer.
    """
    if plan is None:
        from optimizer.report.solverlist import solver_data, solvers_page

        if as_json:
            echo_json(solver_data())
        else:
            click.echo(solvers_page(**paper_options()), nl=False)
        return
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty())
    with spoken(language), ticker, interruption(language) as interrupt:
        from optimizer.report.solverlist import comparison_data, comparison_page
        from scenarios.running import compare_file

        names = [name.strip() for name in (chosen or "").split(",") if name.strip()]
        found = compare_file(plan_file(plan), names, interrupt=interrupt, on_solver=ticker.solver, **choices)
    if as_json:
        echo_json(comparison_data(found))
    else:
        click.echo(comparison_page(found, **paper_options(), language=language), nl=False)
    sys.exit(6 if found.comparison.faulty else 0)
