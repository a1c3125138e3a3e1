"""`apportion solve` solves a plan, prints the page, keeps the run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from scenarios.commands.options import plan_file, share, solve_settings
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("solve", short_help="Solve a plan, print the page, keep the run.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Run folder; an earlier run there is replaced."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stop after so many seconds.",
)
@click.option(
    "--gap",
    callback=share,
    metavar="SHARE",
    help="Stop when proved within this share of the best plan (whole units).",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of the solver."
)
@click.option(
    "--method",
    type=click.Choice(["auto", "simplex", "interior-point"]),
    default="auto",
    show_default=True,
    help="How to solve; auto chooses by the size of the plan.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the solver.")
@click.option(
    "--mode",
    metavar="MODE",
    help="contribution, least-spend (that reaches every target), or largest:TARGET (that can be reached); in "
    "place of the plan's own mode or objective.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="RUN",
    help="Keep the plan of an earlier run: its decisions as they are, its sales as the most, rules measured.",
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the page.")
@click.option(
    "--no-seat-groups",
    is_flag=True,
    help="Keep every seller apart: the same best plan from a larger model; equal sellers may then differ.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--verbose", is_flag=True, help="Print the solver's log on standard error.")
def solve(
    plan: Path,
    out: Path | None,
    keep: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **choices: Any,
) -> None:
    """Solve the plan file PLAN and print a page: status and proof, targets, what binds, how full it is.

    PLAN is a plan file or the folder of a plan.yaml. With -o, the folder gets summary.json, the tables as CSV
    and Parquet, run.xlsx, page.txt, log.txt and a copy of the inputs. Ctrl-C stops with the best plan so far;
    a second one aborts.
    """
    if keep is not None and choices["mode"] is not None:
        raise click.UsageError("--keep and --mode exclude each other: a plan that is kept looks for nothing.")
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not (quiet or verbose))
    with spoken(language), ticker, interruption(language) as interrupt:
        from optimizer.report.compose import page
        from scenarios.running import run_plan

        settings = solve_settings(choices, interrupt, ticker, verbose)
        run = run_plan(plan_file(plan), out, settings, ticker.phase, keep)
    if as_json:
        echo_json(run.summary)
    elif not quiet:
        shown = None if out is None else str(out)
        click.echo(page(run.solution, **paper_options(), folder=shown), nl=False)
    sys.exit(run.solution.exit_code)
