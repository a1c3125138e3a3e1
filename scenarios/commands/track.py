"""`apportion track` compares a plan with what has happened."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import click

from scenarios.commands.options import explained_file, run_or_plan
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("track", short_help="Compare a plan with what has happened, and say why they differ.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--actuals",
    type=click.Path(path_type=Path),
    help="Table of facts; the plan's own table actuals if not given.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="Mapping of fit, when the facts are a CRM or order export.",
)
@click.option(
    "--as-of",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="DATE",
    help="First day that is not a fact; behind the last period of the facts if not given.",
)
@click.option(
    "--since", type=click.Path(path_type=Path), metavar="RUN", help="Earlier run of track to compare with."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Run folder; must be new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the page.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def track(
    plan: Path,
    actuals: Path | None,
    mapping: Path | None,
    as_of: datetime.datetime | None,
    since: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare PLAN, a plan or the folder that `solve -o` made, with its facts.

    Prints the Monday page: target, fact, forecast and gap of company, lines and regions, the causes of the
    deviation, and rates that have left their plan by more than chance. With -o, the folder gets the tables,
    monday.html, monday.xlsx and the plan with its facts; it names the plan or run that it comes from.
    """
    language = language_of(explained_file(plan))
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not quiet)
    with spoken(language), ticker, interruption(language) as interrupt:
        from scenarios.monday import track_run

        day = None if as_of is None else as_of.date()
        run = track_run(
            run_or_plan(plan), actuals, mapping=mapping, as_of=day, since=since, out=out,
            interrupt=interrupt, on_phase=ticker.phase,
        )  # fmt: skip
    if as_json:
        echo_json(run.summary)
    elif not quiet:
        click.echo(run.text(**paper_options()), nl=False)
