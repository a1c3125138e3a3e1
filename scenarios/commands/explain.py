"""`apportion explain` says why a number of a run is what it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from scenarios.commands.options import explained_file, run_or_plan
from scenarios.terminal import Ticker, interruption, language_of, paper_options, spoken


@click.command("explain", short_help="Say why a number of a run is what it is.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="COLUMN=LABEL",
    help='Whose quota to explain, as seller="Li Wei" or region=East; several together name one node.',
)
@click.option("--target", "rule", metavar="NAME", help="Which target, budget or limit to explain.")
@click.option("--span", metavar="LABEL", help="Period, quarter or year; the whole plan if not given.")
@click.option("--language", type=click.Choice(["en", "ru", "zh"]), help="The plan's own if not given.")
@click.option("--table", "as_table", is_flag=True, help="Print CSV in place of sentences.")
def explain(run: Path, as_table: bool, language: str | None, **question: Any) -> None:
    """Explain the numbers of RUN, the folder that `solve -o` made, or of a plan.

    A quota is the sum of steps: last year's share, the plan, stretch, over-assignment, the rules that hold
    it, rounding. A target that is missed is told with what binds it, what one more brings, and the cheapest
    changes that close the gap, solved again. Without --node and --target everything is explained.
    """
    chosen = language or language_of(explained_file(run))
    ticker = Ticker(sys.stderr, chosen, shown=sys.stderr.isatty())
    with spoken(chosen), ticker, interruption(chosen) as interrupt:
        from scenarios.explaining import explanation, explanation_table, question_of, solved_run

        asked = question_of(question["nodes"], question["rule"], question["span"])
        solution, settings = solved_run(run_or_plan(run), interrupt, ticker.stage)
        if as_table:
            from optimizer.io.write import csv_text

            text = csv_text(explanation_table(solution, settings, asked))
        else:
            text = explanation(solution, settings, asked, language=chosen, **paper_options())
    click.echo(text, nl=False)
