"""What several commands read alike: shares, plan files, run folders, settings of a solve."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.terminal import Ticker

if TYPE_CHECKING:
    from optimizer.settings import SolveSettings
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
