"""`apportion curves` draws the response curves of a plan, with today's point and the plan's."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scenarios.commands.options import explained_file, run_or_plan
from scenarios.terminal import Ticker, interruption, language_of, paper_options, spoken

KINDS = {"both": ("svg", "png"), "svg": ("svg",), "png": ("png",)}


@click.command("curves", short_help="Draw the response curves with today's point and the plan's.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder for the pictures and their points."
)
@click.option(
    "--format", "kind", type=click.Choice(list(KINDS)), default="both", show_default=True, help="Pictures."
)
@click.option(
    "--font", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Font file for the labels."
)
@click.option("--language", type=click.Choice(["en", "ru", "zh"]), help="The plan's own if not given.")
def curves(plan: Path, out: Path | None, kind: str, font: Path | None, language: str | None) -> None:
    """Draw the response curves of PLAN, a plan file or the folder that `solve -o` made.

    A line for each curve says what a period costs and brings now and in the plan, what the next lead costs,
    and how far the curve is used up. With -o, the folder gets curves.svg, curves.png (several of each beyond
    twelve curves) and the points in curves.csv. Today's point comes from base_spend or spend_now.
    """
    chosen = language or language_of(explained_file(plan))
    ticker = Ticker(sys.stderr, chosen, shown=sys.stderr.isatty())
    with spoken(chosen), ticker, interruption(chosen) as interrupt:
        from scenarios.curvefiles import curve_page, write_curves
        from scenarios.explaining import solved_run

        solution, _ = solved_run(run_or_plan(plan), interrupt, ticker.stage)
        text = curve_page(solution, language=chosen, **paper_options())
        written = None if out is None else write_curves(solution, out, KINDS[kind], font, chosen)
    click.echo(text, nl=False)
    if written is not None and out is not None:
        from optimizer import messages

        click.echo(messages.text("curves.written", chosen, folder=out, files=", ".join(written.files)))
        if written.note:
            click.echo(written.note, err=True)
