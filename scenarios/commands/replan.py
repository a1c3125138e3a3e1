"""`apportion replan` plans the rest of the horizon again from what has happened."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import click

from scenarios.commands.options import explained_file, run_or_plan
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("replan", short_help="Plan the rest again from what has happened, near the last plan.")
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
@click.option(
    "--free", is_flag=True, help="Do not stay near the last plan: the most contribution behind the targets."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Run folder; must be new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the page.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def replan(
    plan: Path,
    actuals: Path | None,
    mapping: Path | None,
    as_of: datetime.datetime | None,
    since: Path | None,
    free: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Plan the rest of PLAN, a plan or the folder of a run, again from its facts and measured rates.

    Targets keep their full amount. Behind them the new plan stays as near to the last one as it can, and the
    page says what that costs. Started initiatives stay, quotas carry what is earned, and every quota that
    moves says why. With -o, the folder gets a run like that of solve, with replan, replan_starts and
    quota_moves among its tables; it names the plan or run that it comes from.
    """
    language = language_of(explained_file(plan))
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not quiet)
    with spoken(language), ticker, interruption(language) as interrupt:
        from optimizer.settings import SolveSettings
        from scenarios.monday import replan_run

        day = None if as_of is None else as_of.date()
        settings = SolveSettings(
            marginal_values=False, leverage=False, interrupt=interrupt, on_stage=ticker.stage
        )
        run = replan_run(
            run_or_plan(plan), actuals, mapping=mapping, as_of=day, since=since, out=out,
            stable=not free, settings=settings, on_phase=ticker.phase,
        )  # fmt: skip
    if as_json:
        echo_json(run.summary)
    elif not quiet:
        click.echo(run.text(**paper_options()), nl=False)
