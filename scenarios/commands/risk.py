"""`apportion risk` tries a plan in many futures: how likely targets are, and what moves them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scenarios.commands.options import engine_option, plan_file
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("risk", short_help="How likely each target is, and what moves it.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("riskfile", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the analysis.")
@click.option(
    "--samples", type=click.IntRange(min=10), help="Futures that are drawn, in place of those of the file."
)
@engine_option
@click.option(
    "--decide",
    type=click.IntRange(min=2),
    metavar="FUTURES",
    help="Decide for so many futures: the frontier.",
)
@click.option(
    "--reduce-to", type=click.IntRange(min=1), metavar="FUTURES", help="Let so many of them stand for all."
)
@click.option(
    "--reach",
    type=(str, click.FloatRange(0, 1, min_open=True)),
    multiple=True,
    metavar="TARGET PROBABILITY",
    help="Decide so that a target can be reached with a probability; may be repeated.",
)
@click.option(
    "--robust",
    type=click.FloatRange(min=0),
    metavar="BUDGET",
    help="A plan that holds while so many of the numbers of a row turn out badly.",
)
@click.option(
    "--prepare-by",
    type=click.IntRange(min=1),
    metavar="PERIOD",
    help="What to prepare now, and the sign after so many periods that says when to act.",
)
@click.option(
    "--break-even",
    type=(str, str),
    multiple=True,
    metavar="WHAT TARGET",
    help="Which budget, or value of an uncertain number, just reaches a target; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print risk.json instead of the page.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def risk(
    plan: Path,
    riskfile: Path,
    out: Path | None,
    samples: int | None,
    engine: str,
    decide: int | None,
    reduce_to: int | None,
    reach: tuple[tuple[str, float], ...],
    robust: float | None,
    prepare_by: int | None,
    break_even: tuple[tuple[str, str], ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Solve PLAN, try it in the futures of RISKFILE, and print how likely each target is.

    RISKFILE says what is uncertain and what may happen; the same seed gives the same futures. With -o the
    folder gets risk.json, page.txt, pictures, and the tables as CSV and Parquet. Options come before what
    RISKFILE says of decisions, robustness and preparations.
    """
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not quiet)
    with spoken(language):
        with ticker, interruption(language) as interrupt:
            from scenarios.engine import engine_of
            from scenarios.risk.analysis import load
            from scenarios.risk.decided import refuse_impossible
            from scenarios.risk.options import asked_for
            from scenarios.risk.page import risk_page
            from scenarios.risk.whole import whole_analysis, write_analysis

            base, read = load(plan_file(plan), riskfile)
            read = asked_for(read, decide, reduce_to, dict(reach), robust, prepare_by)
            with engine_of(engine) as running:
                found = whole_analysis(base, read, samples, running, break_even, ticker.futures, interrupt)
            if out is not None:
                write_analysis(found, language, out)
        if as_json:
            echo_json(found.summary())
        elif not quiet:
            folder = "" if out is None else str(out)
            click.echo(risk_page(found, language, **paper_options(), folder=folder), nl=False)
        refuse_impossible(found)
