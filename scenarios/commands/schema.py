"""`apportion schema` prints the JSON Schema of the plan file."""

from __future__ import annotations

import click


@click.command("schema", short_help="Print the JSON Schema of the plan file.")
def schema() -> None:
    """Print the JSON Schema of the plan file, for editors that complete and check YAML."""
    from optimizer.plan.json_schema import plan_schema_text

    click.echo(plan_schema_text(), nl=False)
