"""`apportion new` copies a starter pack into a new folder."""

from __future__ import annotations

import click

from scenarios.terminal import language_of, say, spoken

DEFAULT_PACK = "premium_year"


@click.command("new", short_help="Copy a starter pack into a new folder.")
@click.argument("names", nargs=-1, metavar="[PACK] FOLDER")
@click.option("--pack", help=f"The pack to copy, {DEFAULT_PACK} unless given.")
@click.option("--list", "list_packs", is_flag=True, help="List the packs and stop.")
def new(names: tuple[str, ...], pack: str | None, list_packs: bool) -> None:
    """Copy the starter pack PACK (premium_year unless given) into the new folder FOLDER.

    The folder then holds plan.yaml, its tables, and a README that says what the pack shows.
    """
    from scenarios import examples

    if list_packs:
        for name in examples.names():
            click.echo(f"{name:<20}{examples.title(name)}")
        return
    with spoken("en"):
        if len(names) not in (1, 2):
            raise click.UsageError(say("new_arguments", "en", known=", ".join(examples.names())))
        if len(names) == 2 and pack is not None:
            raise click.UsageError(say("pack_and_option", "en", first=names[0], second=pack))
        chosen = names[0] if len(names) == 2 else pack or DEFAULT_PACK
        plan = examples.copy(chosen, names[-1])
    language = language_of(plan)
    click.echo(say("new_done", language, pack=chosen, folder=names[-1]))
    click.echo(say("new_next", language, plan=plan))
