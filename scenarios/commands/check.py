"""`apportion check` reads a plan without solving it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scenarios.commands.options import plan_file
from scenarios.terminal import echo_json, language_of, paper_options, spoken


@click.command("check", short_help="Check a plan without solving it.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings for a program.")
@click.option("--metrics", is_flag=True, help="Print what each metric means.")
def check(plan: Path, as_json: bool, metrics: bool) -> None:
    """Check the plan file PLAN and its tables: size, columns and labels that rules may name, and findings.

    PLAN is a plan file or the folder of a plan.yaml. Exit code 3 when the plan cannot be solved as it stands.
    """
    with spoken(language_of(plan)):
        from optimizer.checking import check as find
        from optimizer.checking import shape
        from optimizer.plan.load import load_plan
        from optimizer.report.checked import check_page, findings_data

        loaded = load_plan(plan_file(plan))
        findings = find(loaded)
        failed = any(finding.level == "error" for finding in findings)
        size = {} if failed else shape(loaded)
    if as_json:
        echo_json(findings_data(findings, size, loaded.spec.language))
    else:
        click.echo(check_page(loaded, size, findings, **paper_options(), with_metrics=metrics), nl=False)
    sys.exit(3 if failed else 0)
