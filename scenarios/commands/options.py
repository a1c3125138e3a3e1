"""What several commands read alike: shares, plan files, run folders, settings of a solve."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.terminal import (
    Ticker,
    echo_json,
    interruption,
    language_of,
    paper_options,
    screen_height,
    spoken,
)

if TYPE_CHECKING:
    from optimizer.settings import SolveSettings
    from scenarios.monday import Asked, MondayRun
    from scenarios.worker import SweepSettings


def share(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """A share written as 0.001 or 0.1% as a number of at least 0; a usage error for anything else."""
    if value is None:
        return None
    text = value.strip()
    try:
        number = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a share. Write 0.001 or 0.1%.") from None
    if not 0.0 <= number < float("inf"):
        raise click.BadParameter(f"{value!r} is below 0 or not finite. Write 0.001 or 0.1%.")
    return number


def solve_settings(
    choices: dict[str, Any], interrupt: threading.Event, ticker: Ticker, verbose: bool
) -> SolveSettings:
    """The settings of a solve from the options of a command."""
    from optimizer.settings import SolveSettings

    log: Callable[[str], None] | None = (lambda line: click.echo(line, err=True)) if verbose else None
    return SolveSettings(
        time_limit=choices["time_limit"],
        gap=choices["gap"],
        threads=choices["threads"],
        seed=choices["seed"],
        method=choices["method"].replace("-", "_"),
        seat_groups=not choices["no_seat_groups"],
        mode=choices.get("mode"),
        interrupt=interrupt,
        on_stage=ticker.stage,
        progress=ticker.progress,
        log=log,
    )


engine_option = click.option(
    "--engine",
    default="serial",
    show_default=True,
    metavar="ENGINE",
    help="serial, process (all cores), process:2, dask://host:port or ray://host:port.",
)


def sweep_limits(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a sweep that hold for each scenario."""
    limit = click.option(
        "--time-limit",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Stop each scenario after so many seconds.",
    )
    gap = click.option(
        "--gap",
        callback=share,
        metavar="SHARE",
        help="Stop each scenario when proved within this share (whole units).",
    )
    seed = click.option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the solver."
    )
    kept = click.option("--no-kept", is_flag=True, help="Do not try the base plan in each scenario.")
    return limit(gap(seed(kept(command))))


def sweep_settings(choices: dict[str, Any]) -> SweepSettings:
    """The settings of a sweep from the options of a command."""
    from scenarios.worker import SweepSettings

    return SweepSettings(
        time_limit=choices["time_limit"],
        gap=choices["gap"],
        seed=choices["seed"],
        kept=not choices["no_kept"],
    )


def explained_file(run: Path) -> Path:
    """The plan file of a run folder, or the plan itself."""
    kept = run / "inputs" / "plan.yaml"
    return kept if kept.is_file() else run


def run_or_plan(run: Path) -> Path:
    """A run folder as it is, else the plan file; raises `InputError` where there is neither."""
    return run if (run / "summary.json").is_file() else plan_file(run)


def plan_file(path: Path) -> Path:
    """The plan file itself; raises `InputError` where there is none."""
    from optimizer.errors import InputError

    file = path / "plan.yaml" if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise InputError("cli.no_plan_file", name=str(file))
    return file


_MONDAY = (
    click.argument("plan", type=click.Path(path_type=Path)),
    click.option(
        "--actuals",
        type=click.Path(path_type=Path),
        help="Table of facts; the plan's own table actuals if not given.",
    ),
    click.option(
        "--mapping",
        type=click.Path(path_type=Path),
        help="Mapping of fit, when the facts are a CRM or order export.",
    ),
    click.option(
        "--as-of",
        type=click.DateTime(formats=["%Y-%m-%d"]),
        metavar="DATE",
        help="First day that is not a fact; behind the last period of the facts if not given.",
    ),
    click.option(
        "--since",
        type=click.Path(path_type=Path),
        metavar="RUN",
        help="Earlier run of track or replan to compare with.",
    ),
    click.option(
        "--delays",
        type=click.IntRange(min=0),
        metavar="N",
        help="Solve up to N times more for what a period of delay costs and what assumptions weigh; as many "
        "as the plan's size lets the page afford if not given.",
    ),
    click.option("-o", "--out", type=click.Path(path_type=Path), help="Run folder; must be new or empty."),
    click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the page."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
)


def monday_options(command: Callable[..., None]) -> Callable[..., None]:
    """The plan, its facts and what is done with the page: what `track` and `replan` take alike."""
    for option in reversed(_MONDAY):
        command = option(command)
    return command


def print_monday(choices: dict[str, Any], run: Callable[[Path, Asked], MondayRun]) -> None:
    """Run what makes a Monday page of a plan or run, and print the page or its summary."""
    plan: Path = choices["plan"]
    language = language_of(explained_file(plan))
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not choices["quiet"])
    with spoken(language), ticker, interruption(language) as interrupt:
        from scenarios.monday import Asked, monday_settings

        day = choices["as_of"]
        asked = Asked(
            actuals=choices["actuals"],
            mapping=choices["mapping"],
            as_of=None if day is None else day.date(),
            since=choices["since"],
            out=choices["out"],
            delays=choices["delays"],
            settings=monday_settings(interrupt=interrupt, on_stage=ticker.stage),
            on_phase=ticker.phase,
        )
        found = run(run_or_plan(plan), asked)
    if choices["as_json"]:
        echo_json(found.summary)
    elif not choices["quiet"]:
        click.echo(found.text(**paper_options(), height=screen_height()), nl=False)
