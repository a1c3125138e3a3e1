"""`apportion track` compares a plan with what has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scenarios.commands.options import monday_options, print_monday

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.monday import Asked, MondayRun


@click.command("track", short_help="Compare a plan with what has happened, and say why they differ.")
@monday_options
def track(**choices: Any) -> None:
    """Compare PLAN, a plan or the folder that `solve -o` made, with its facts.

    Prints the Monday page: target, fact, forecast and gap of company, lines and regions, the causes of the
    deviation, what has to be decided, and rates that have left their plan by more than chance. With -o, the
    folder gets the tables, monday.html, monday.xlsx and the plan with its facts; it names the plan or run
    that it comes from.
    """

    def run(plan: Path, asked: Asked) -> MondayRun:
        from scenarios.monday import track_run

        return track_run(plan, asked)

    print_monday(choices, run)
