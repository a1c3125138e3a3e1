"""`apportion diff` compares two runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scenarios.commands.options import explained_file
from scenarios.terminal import Ticker, echo_json, interruption, language_of, paper_options, spoken


@click.command("diff", short_help="Say how two runs differ, and why.")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for the tables of the comparison.")
@click.option("--json", "as_json", is_flag=True, help="Print every table for a program.")
def diff(first: Path, second: Path, out: Path | None, as_json: bool) -> None:
    """Compare the runs FIRST and SECOND, folders that `solve -o` made, or plans.

    Says what changed in the inputs, old -> new, what changed in the answer, and which change explains how
    much of it: each change put into the first plan alone and solved again, all of them together, and the
    remainder, which is what they do to each other.
    """
    language = language_of(explained_file(first))
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty())
    with spoken(language), ticker, interruption(language) as interrupt:
        from scenarios.diffpage import diff_page
        from scenarios.rundiff import diff_runs, diff_tables, save_diff

        found = diff_runs(first, second, interrupt, ticker.scenarios)
        if out is not None:
            save_diff(found, out)
    if as_json:
        echo_json({name: table.to_dict("records") for name, table in diff_tables(found).items()})
    else:
        page = diff_page(found, str(first), str(second), language, **paper_options())
        click.echo(page, nl=False)
