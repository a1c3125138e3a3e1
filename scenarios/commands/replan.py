"""`apportion replan` plans the rest of the horizon again from what has happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.commands.options import monday_options, print_monday

if TYPE_CHECKING:
    from scenarios.monday import Asked, MondayRun


@click.command("replan", short_help="Plan the rest again from what has happened, near the last plan.")
@monday_options
@click.option(
    "--free", is_flag=True, help="Do not stay near the last plan: the most contribution behind the targets."
)
@click.option(
    "--moves",
    type=click.Path(path_type=Path),
    help="Table of accounts, territories and sellers that move on a day; the plan's own if not given.",
)
def replan(free: bool, moves: Path | None, **choices: Any) -> None:
    """Plan the rest of PLAN, a plan or the folder of a run, again from its facts and measured rates.

    Targets keep their full amount. Behind them the new plan stays as near to the last one as it can, and the
    page says what that costs. Started initiatives stay, quotas carry what is earned, accounts and sellers who
    change hands carry their quota with them, and every quota that moves says why. With -o, the folder gets a
    run like that of solve, with replan, replan_starts and quota_moves among its tables; it names the plan or
    run that it comes from.
    """

    def run(plan: Path, asked: Asked) -> MondayRun:
        from scenarios.monday import replan_run

        return replan_run(plan, replace(asked, moves=moves), stable=not free)

    print_monday(choices, run)
