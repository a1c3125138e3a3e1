"""`apportion schema` prints the JSON Schema of the plan file."""

from __future__ import annotations

import click


@click.command("schema", short_help="Print the JSON Schema of the plan file.")
@click.option("--tables", is_flag=True, help="Print the columns of every table instead, as Markdown.")
def schema(tables: bool) -> None:
    """Print the JSON Schema of the plan file, for editors that complete and check YAML."""
    from optimizer.plan.column_pages import columns_text
    from optimizer.plan.json_schema import plan_schema_text

    click.echo(columns_text() if tables else plan_schema_text(), nl=False)
