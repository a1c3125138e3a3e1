"""`apportion sweep` solves a plan under many scenarios and sets them side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from scenarios.commands.options import engine_option, plan_file, sweep_limits, sweep_settings
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("sweep", short_help="Solve a plan under many scenarios.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of the sweep.")
@engine_option
@click.option("--resume", is_flag=True, help="Keep what an earlier sweep in the folder has done.")
@sweep_limits
@click.option(
    "--json", "as_json", is_flag=True, help="Print what was swept and how each ended instead of the page."
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def sweep(
    plan: Path,
    scenarios: tuple[Path, ...],
    out: Path,
    engine: str,
    resume: bool,
    as_json: bool,
    quiet: bool,
    **choices: Any,
) -> None:
    """Solve PLAN under SCENARIOS, files or folders of them in the plan's folder, and print the league table.

    Every scenario is solved from the base plan, so that order and number of workers change nothing. The
    folder gets league, targets, parts and changes as CSV and Parquet, and a file a scenario as soon as it is
    done. A scenario that fails is a row with its reason. Exit code: 0 when every scenario has a plan, else
    the highest of 3, 4, 5 and 6 among them.
    """
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not quiet)
    with spoken(language), ticker, interruption(language) as interrupt:
        from scenarios.leaguepage import sweep_page
        from scenarios.sweep import sweep as run_sweep

        settings = sweep_settings(choices)
        found = run_sweep(
            plan_file(plan), scenarios, out, settings, engine, resume, ticker.scenarios, interrupt
        )
    if as_json:
        echo_json({**found.marked(), "scenarios": found.listed(), "exit_code": found.exit_code})
    elif not quiet:
        click.echo(sweep_page(found, language, **paper_options(), folder=str(out)), nl=False)
    sys.exit(found.exit_code)
