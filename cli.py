"""The command line: parse, call one function, print. Heavy libraries are imported inside the commands."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.terminal import (
    PLAIN_WIDTH,
    Ticker,
    echo_json,
    interruption,
    language_of,
    paper_options,
    say,
    spoken,
)

if TYPE_CHECKING:
    from optimizer.settings import SolveSettings

DEFAULT_PACK = "premium_year"


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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="apportion", message="apportion %(version)s")
def main() -> None:
    """Optimise a sales plan: who sells what, where and when.

    Exit codes: 0 a plan; 2 usage; 3 an input cannot be used; 4 no plan exists; 5 a limit came first; 6 the
    solver failed.
    """
    for stream in (sys.stdout, sys.stderr):
        # A page in Cyrillic or Chinese on a console that cannot show it is printed with marks, not an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@main.command(short_help="Copy a starter pack into a new folder.")
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


@main.command(short_help="Check a plan without solving it.")
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

        loaded = load_plan(_plan_file(plan))
        findings = find(loaded)
        failed = any(finding.level == "error" for finding in findings)
        size = {} if failed else shape(loaded)
    if as_json:
        echo_json(findings_data(findings, size, loaded.spec.language))
    else:
        click.echo(check_page(loaded, size, findings, **paper_options(), with_metrics=metrics), nl=False)
    sys.exit(3 if failed else 0)


@main.command(short_help="Solve a plan, print the page, keep the run.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Run folder; an earlier run there is replaced."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stop after so many seconds.",
)
@click.option(
    "--gap",
    callback=share,
    metavar="SHARE",
    help="Stop when proved within this share of the best plan (whole units).",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of the solver."
)
@click.option(
    "--method",
    type=click.Choice(["auto", "simplex", "interior-point"]),
    default="auto",
    show_default=True,
    help="How to solve; auto chooses by the size of the plan.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the solver.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the page.")
@click.option(
    "--no-seat-groups",
    is_flag=True,
    help="Keep every seller apart: the same best plan from a larger model; equal sellers may then differ.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--verbose", is_flag=True, help="Print the solver's log on standard error.")
def solve(plan: Path, out: Path | None, as_json: bool, quiet: bool, verbose: bool, **choices: Any) -> None:
    """Solve the plan file PLAN and print a page: status and proof, targets, what binds, how full it is.

    PLAN is a plan file or the folder of a plan.yaml. With -o, the folder gets summary.json, the tables as CSV
    and Parquet, run.xlsx, page.txt, log.txt and a copy of the inputs. Ctrl-C stops with the best plan so far;
    a second one aborts.
    """
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty() and not (quiet or verbose))
    with spoken(language), ticker, interruption(language) as interrupt:
        from optimizer.report.compose import page
        from scenarios.running import run_plan

        settings = _settings(choices, interrupt, ticker, verbose)
        run = run_plan(_plan_file(plan), out, settings, ticker.phase)
    if as_json:
        echo_json(run.summary)
    elif not quiet:
        shown = None if out is None else str(out)
        click.echo(page(run.solution, **paper_options(), folder=shown), nl=False)
    sys.exit(run.solution.exit_code)


@main.command(short_help="Say why a number of a run is what it is.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="COLUMN=LABEL",
    help='Whose quota to explain, as seller="Li Wei" or region=East; several together name one node.',
)
@click.option("--target", "rule", metavar="NAME", help="Which target, budget or limit to explain.")
@click.option("--span", metavar="LABEL", help="Period, quarter or year; the whole plan if not given.")
@click.option("--language", type=click.Choice(["en", "ru", "zh"]), help="The plan's own if not given.")
@click.option("--table", "as_table", is_flag=True, help="Print CSV in place of sentences.")
def explain(run: Path, as_table: bool, language: str | None, **question: Any) -> None:
    """Explain the numbers of RUN, the folder that `solve -o` made, or of a plan.

    A quota is the sum of steps: last year's share, the plan, stretch, over-assignment, the rules that hold
    it, rounding. A target that is missed is told with what binds it, what one more brings, and the cheapest
    changes that close the gap, solved again. Without --node and --target everything is explained.
    """
    chosen = language or language_of(_explained_file(run))
    ticker = Ticker(sys.stderr, chosen, shown=sys.stderr.isatty())
    with spoken(chosen), ticker, interruption(chosen) as interrupt:
        from scenarios.explaining import explanation, explanation_table, question_of, solved_run

        asked = question_of(question["nodes"], question["rule"], question["span"])
        solution, settings = solved_run(_run_or_plan(run), interrupt, ticker.stage)
        if as_table:
            from optimizer.io.write import csv_text

            text = csv_text(explanation_table(solution, settings, asked))
        else:
            text = explanation(solution, settings, asked, language=chosen, **paper_options())
    click.echo(text, nl=False)


@main.command(short_help="Turn a CRM or order export into a plan.")
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


@main.command(short_help="List the solvers, or compare them on a plan.")
@click.option(
    "--compare", "plan", type=click.Path(path_type=Path), metavar="PLAN", help="Solve PLAN by each of them."
)
@click.option(
    "--solvers", "chosen", metavar="A,B,..", help="Compare these; all that can take the plan if not given."
)
@click.option(
    "--stage", metavar="NAME", help="Compare this stage of the objective; the money stage if not given."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop each solver after so many seconds.",
)
@click.option(
    "--relax", is_flag=True, help="Drop whole numbers, so that solvers of linear programs can join."
)
@click.option("--json", "as_json", is_flag=True, help="Print the table for a program.")
def solvers(plan: Path | None, chosen: str | None, as_json: bool, **choices: Any) -> None:
    """List the solvers: what is installed, its version, and what it can do.

    With --compare, solve PLAN by each of them in a process of its own, and judge the answers: the same
    optimum, another one, looser, worse, wrong, or none. Exit code 6 when a solver gives a wrong answer.
    """
    if plan is None:
        from optimizer.report.solverlist import solver_data, solvers_page

        if as_json:
            echo_json(solver_data())
        else:
            click.echo(solvers_page(**paper_options()), nl=False)
        return
    language = language_of(plan)
    ticker = Ticker(sys.stderr, language, shown=sys.stderr.isatty())
    with spoken(language), ticker, interruption(language) as interrupt:
        from optimizer.report.solverlist import comparison_data, comparison_page
        from scenarios.running import compare_file

        names = [name.strip() for name in (chosen or "").split(",") if name.strip()]
        found = compare_file(_plan_file(plan), names, interrupt=interrupt, on_solver=ticker.solver, **choices)
    if as_json:
        echo_json(comparison_data(found))
    else:
        click.echo(comparison_page(found, **paper_options(), language=language), nl=False)
    sys.exit(6 if found.comparison.faulty else 0)


@main.command(short_help="Write the program of a plan as an MPS or LP file.")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--stage", metavar="NAME", help="Write this stage of the objective; the money stage if not given."
)
def export(plan: Path, target: Path, stage: str | None) -> None:
    """Write the linear or whole-number program of PLAN as FILE, which ends in .mps or .lp.

    The stages before the one that is written are locked at their optimum. Rows and columns carry readable
    names.
    """
    language = language_of(plan)
    with spoken(language):
        from optimizer.exporting import export_plan
        from optimizer.plan.load import load_plan
        from optimizer.report.solverlist import export_sentence

        done = export_plan(load_plan(_plan_file(plan)), target, stage)
    click.echo(export_sentence(done, target.name, language))


@main.command(short_help="Print the JSON Schema of the plan file.")
def schema() -> None:
    """Print the JSON Schema of the plan file, for editors that complete and check YAML."""
    from optimizer.plan.json_schema import plan_schema_text

    click.echo(plan_schema_text(), nl=False)


@main.command(hidden=True)
def reference() -> None:
    """Print docs/cli.md."""
    click.echo(reference_text(), nl=False)


def reference_text() -> str:
    """The command reference as Markdown: the help of every command, 100 columns wide."""
    parts = ["# Commands", "", "This page is printed by `apportion reference`; a test compares the two."]
    for name, command in [("", main), *sorted(main.commands.items())]:
        if command.hidden:
            continue
        title = f"apportion {name}".strip()
        context = click.Context(
            command, info_name=title, terminal_width=PLAIN_WIDTH, max_content_width=PLAIN_WIDTH
        )
        context.help_option_names = ["-h", "--help"]
        parts += ["", f"## {title}", "", "```text", command.get_help(context), "```"]
    return "\n".join(parts) + "\n"


def _settings(
    choices: dict[str, Any], interrupt: threading.Event, ticker: Ticker, verbose: bool
) -> SolveSettings:
    from optimizer.settings import SolveSettings

    log: Callable[[str], None] | None = (lambda line: click.echo(line, err=True)) if verbose else None
    return SolveSettings(
        time_limit=choices["time_limit"],
        gap=choices["gap"],
        threads=choices["threads"],
        seed=choices["seed"],
        method=choices["method"].replace("-", "_"),
        seat_groups=not choices["no_seat_groups"],
        interrupt=interrupt,
        on_stage=ticker.stage,
        progress=ticker.progress,
        log=log,
    )


def _explained_file(run: Path) -> Path:
    """The plan file of a run folder, or the plan itself."""
    kept = run / "inputs" / "plan.yaml"
    return kept if kept.is_file() else run


def _run_or_plan(run: Path) -> Path:
    """A run folder as it is, else the plan file; raises `InputError` where there is neither."""
    return run if (run / "summary.json").is_file() else _plan_file(run)


def _plan_file(path: Path) -> Path:
    """The plan file itself; raises `InputError` where there is none."""
    from optimizer.errors import InputError

    file = path / "plan.yaml" if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise InputError("cli.no_plan_file", name=str(file))
    return file


if __name__ == "__main__":
    main()
