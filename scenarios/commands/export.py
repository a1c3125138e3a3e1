"""`apportion export` writes the program of a plan as a file."""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.commands.options import plan_file
from scenarios.terminal import language_of, spoken


@click.command("export", short_help="Write the program of a plan as an MPS or LP file.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--stage", metavar="NAME", help="Write this stage of the objective; the money stage if not given."
)
@click.option(
    "--relax", is_flag=True, help="Drop whole numbers, and take response curves by their concave envelopes."
)
def export(plan: Path, target: Path, stage: str | None, relax: bool) -> None:
    """Write the linear or whole-number program of PLAN as FILE, which ends in .mps or .lp.

    The stages before the one that is written are locked at their optimum. Rows and columns carry readable
    names. A file cannot hold response curves: --relax writes their concave envelopes as straight lines.
    """
    language = language_of(plan)
    with spoken(language):
        from optimizer.exporting import export_plan
        from optimizer.plan.load import load_plan
        from optimizer.report.solverlist import export_sentence

        done = export_plan(load_plan(plan_file(plan)), target, stage, relax=relax)
    click.echo(export_sentence(done, target.name, language))
