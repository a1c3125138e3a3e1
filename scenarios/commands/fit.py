"""`apportion fit` turns an export of deals or orders into a plan."""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.terminal import language_of, spoken


@click.command("fit", short_help="Turn a CRM or order export into a plan.")
@click.argument("history", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of the plan that is made."
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="YAML file that says which column is which; without it they are guessed by name.",
)
def fit(history: Path, out: Path, mapping: Path | None) -> None:
    """Turn HISTORY, an export with one row an opportunity or order, into a plan in the folder OUT.

    HISTORY is a CSV, XLSX or Parquet file, or a mapping file that names one. Prints what was left out, what
    is thin and what is assumed; OUT/plan.yaml is ready for `apportion check` and `apportion solve`.
    """
    described = mapping or (history if history.suffix in (".yaml", ".yml") else None)
    with spoken("en" if described is None else language_of(described)):
        from optimizer.history import fit as fit_export
        from optimizer.history import fit_history

        if mapping is None and described is not None:
            report = fit_history(described, out)
        else:
            report = fit_export(history, out, mapping)
    click.echo(report.text(), nl=False)
