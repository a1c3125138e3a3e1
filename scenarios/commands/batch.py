"""`apportion batch` solves many plans under many scenarios."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from scenarios.commands.options import engine_option, sweep_limits, sweep_settings
from scenarios.terminal import Ticker, common_language, echo_json, interruption, paper_options, spoken


@click.command("batch", short_help="Solve many plans under many scenarios.")
@click.argument(
    "plans", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PLANS_OR_FOLDER..."
)
@click.option(
    "--scenarios",
    "scenarios",
    multiple=True,
    default=("scenarios",),
    show_default=True,
    metavar="NAME",
    help="Scenario file or folder inside each plan's folder; plans without it are solved alone.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of the batch.")
@engine_option
@sweep_limits
@click.option(
    "--language",
    type=click.Choice(["en", "ru", "zh"]),
    help="Language of the page; the plans' own if not given and all have the same.",
)
@click.option("--json", "as_json", is_flag=True, help="Print batch.json instead of the page.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def batch(
    plans: tuple[Path, ...],
    scenarios: tuple[str, ...],
    out: Path,
    engine: str,
    language: str | None,
    as_json: bool,
    quiet: bool,
    **choices: Any,
) -> None:
    """Solve every plan of PLANS_OR_FOLDER under the scenarios in its own folder.

    Plans are plan files, folders of a plan.yaml, or folders with such folders below them. What an earlier
    batch in the folder has done is done again only where a file, an option or a version changed. OUT/data
    has the rows of all plans as one Parquet data set a table, OUT/batch.json the digests of every input and
    all failures. Exit code: 0 when every row has a plan, else the highest of 3, 4, 5 and 6 among them.
    """
    tongue = language or common_language(plans)
    ticker = Ticker(sys.stderr, tongue, shown=sys.stderr.isatty() and not quiet)
    with spoken(tongue), ticker, interruption(tongue) as interrupt:
        from scenarios.batch import batch as run_batch
        from scenarios.batch import manifest
        from scenarios.batchpage import batch_page

        settings = sweep_settings(choices)
        found = run_batch(plans, scenarios, out, settings, engine, ticker.scenarios, interrupt)
    if as_json:
        echo_json(manifest(found))
    elif not quiet:
        click.echo(batch_page(found, tongue, **paper_options(), folder=str(out)), nl=False)
    sys.exit(found.exit_code)
