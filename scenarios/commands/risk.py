"""`apportion risk` tries a plan in many futures: how likely targets are, and what moves them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scenarios.commands.options import plan_file
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("risk", short_help="How likely each target is, and what moves it.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("riskfile", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the analysis.")
@click.option(
    "--samples", type=click.IntRange(min=10), help="Futures that are drawn, in place of those of the file."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes; they change no figure.",
)
@click.option(
    "--decide",
    type=click.IntRange(min=2),
    metavar="FUTURES",
    help="Decide for so many futures: the frontier.",
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
    workers: int,
    decide: int | None,
    break_even: tuple[tuple[str, str], ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Solve PLAN, try it in the futures of RISKFILE, and print how likely each target is.

    RISKFILE says what is uncertain and what may happen; the same seed gives the same futures. With -o the
    folder gets risk.json, page.txt and the tables as CSV and Parquet: targets, figures, drivers and every
    future.
    """
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not quiet)
    with spoken(language), ticker, interruption(language) as interrupt:
        from scenarios.risk.analysis import analyse, load, prepared, protected, save, with_break_evens
        from scenarios.risk.breakeven import check_asked
        from scenarios.risk.decided import decided, refuse_impossible
        from scenarios.risk.page import risk_page
        from scenarios.risk.pictures import write_pictures

        base, read = load(plan_file(plan), riskfile)
        for what, _ in break_even:
            check_asked(read, what)
        found = analyse(base, read, samples, workers, ticker.futures, interrupt)
        found = with_break_evens(found, break_even)
        if decide is not None or read.spec.decide is not None:
            found = decided(found, decide, workers)
        found = prepared(protected(found), workers)
        shown = "" if out is None else str(out)
        if out is not None:
            save(
                found,
                risk_page(found, language, folder=out.name),
                out,
                lambda folder: write_pictures(found, language, folder),
            )
        if as_json:
            echo_json(found.summary())
        elif not quiet:
            click.echo(risk_page(found, language, **paper_options(), folder=shown), nl=False)
        refuse_impossible(found)
