"""The command line: one clear message, the promised exit code, and nothing heavy for `--help`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from optimizer import messages
from optimizer.plan.json_schema import plan_schema_text
from scenarios import examples as packs

HEAVY = ("numpy", "pandas", "scipy", "pydantic", "pyarrow", "openpyxl", "yaml", "highspy", "ortools", "pulp")
COMMANDS = tuple(sorted(name for name, command in cli.main.commands.items() if not command.hidden))


def run(*arguments: object) -> Result:
    """The command in this process."""
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The plan file of a copy of the smallest pack."""
    return packs.copy("people_and_target", tmp_path / "plan")


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS), ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str], root: Path) -> None:
    """Help answers at once: none of the libraries that take time is imported."""
    code = (
        "import sys, cli\n"
        "try:\n    cli.main(sys.argv[1:], prog_name='apportion')\n"
        "finally:\n    print('imported:', *sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    imported = set(done.stderr.partition("imported:")[2].split())
    assert done.returncode == 0 and done.stdout
    assert not imported & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    """A reader of `--help` never meets an option without a word on it."""
    command = cli.main.commands[name]
    assert command.help and command.short_help
    assert all(option.help for option in command.params if option.param_type_name == "option")


def test_the_reference_is_up_to_date(root: Path) -> None:
    """docs/cli.md is what `apportion reference` prints."""
    assert (root / "docs" / "cli.md").read_text(encoding="utf-8") == run("reference").output


def test_new_copies_the_main_pack(tmp_path: Path) -> None:
    """One argument is the folder; the answer says what to type next."""
    done = run("new", tmp_path / "mine")
    assert done.exit_code == 0
    assert (tmp_path / "mine" / "plan.yaml").is_file()
    assert f"apportion check {tmp_path / 'mine' / 'plan.yaml'}" in done.output


@pytest.mark.parametrize("form", [["regional_ru", "FOLDER"], ["FOLDER", "--pack", "regional_ru"]])
def test_new_copies_a_named_pack(form: list[str], tmp_path: Path) -> None:
    """The pack stands before the folder or in the option, and the answer is in its language."""
    done = run("new", *(str(tmp_path / "mine") if part == "FOLDER" else part for part in form))
    assert "Набор «regional_ru»" in done.output


def test_new_lists_the_packs() -> None:
    """Every pack with its title."""
    output = run("new", "--list").output
    assert all(name in output for name in packs.names())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["new"], 2, "the command takes a folder, or a pack and a folder"),
        (["new", "a", "b", "--pack", "c"], 2, "the pack is named twice"),
        (["new", "premium_yaer", "x"], 3, "Did you mean “premium_year”?"),
        (["solve"], 2, "Missing argument"),
        (["solve", "nowhere.yaml"], 3, "there is no file “nowhere.yaml”"),
        (["solve", "plan", "--gap", "little"], 2, "'little' is not a share"),
        (["solve", "plan", "--gap", "-1%"], 2, "below 0"),
        (["solve", "plan", "--method", "magic"], 2, "'magic' is not one of"),
        (["solve", "plan", "--threads", "0"], 2, "x>=1"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_a_wrong_call_has_one_message_and_no_traceback(arguments: list[str], code: int, message: str) -> None:
    """Usage errors end with 2, inputs that cannot be used with 3."""
    done = run(*arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""


def test_a_folder_without_a_plan_says_what_is_missing(tmp_path: Path) -> None:
    """A folder stands for its plan.yaml."""
    done = run("solve", tmp_path)
    assert done.exit_code == 3
    assert "there is no plan file" in done.stderr and "plan.yaml" in done.stderr


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_an_error_speaks_the_language_of_the_plan(language: str, plan: Path) -> None:
    """The language is known even when the plan cannot be read."""
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("name:", f"language: {language}\nnmae:", 1), encoding="utf-8")
    done = run("solve", plan)
    assert done.exit_code == 3
    assert done.stderr.startswith(f"plan.yaml, {messages.text('place.line', language, line=2)}")


def test_solve_prints_the_page(plan: Path) -> None:
    """Status first, and how to keep the result."""
    done = run("solve", plan)
    assert done.exit_code == 0
    assert done.output.split("\n")[1].startswith("Plan found")
    assert "Add -o FOLDER" in done.output


def test_solve_keeps_the_run(plan: Path, tmp_path: Path) -> None:
    """With -o the page ends with the files, and progress does not disturb a pipe."""
    done = run(
        "solve", plan, "-o", tmp_path / "run", "--seed", 7, "--method", "interior-point", "--gap", "0.1%"
    )
    assert done.exit_code == 0 and done.stderr == ""
    assert "tables/sales.csv" in done.output
    options = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))["options"]
    assert (options["seed"], options["method"], options["gap"]) == (7, "interior_point", 0.001)


def test_solve_for_programs(plan: Path) -> None:
    """--json prints the summary and nothing else."""
    done = run("solve", plan, "--json")
    assert json.loads(done.stdout)["status"] == "optimal"
    assert done.stderr == ""


def test_quiet_and_verbose(plan: Path) -> None:
    """--quiet prints nothing; --verbose sends the solver's lines to standard error."""
    quiet = run("solve", plan, "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert run("solve", plan, "--verbose").stderr.count("\n") > 3


def test_seat_groups_can_be_kept_apart(plan: Path) -> None:
    """The same best plan from a larger model."""
    together, apart = (
        json.loads(run("solve", plan, "--json", *more).stdout) for more in ((), ("--no-seat-groups",))
    )
    assert together["shape"]["seat_groups"] < apart["shape"]["seat_groups"] == apart["shape"]["sellers"]
    assert together["figures"]["revenue"] == pytest.approx(apart["figures"]["revenue"], rel=1e-6)


def test_no_plan_ends_with_4(root: Path, tmp_path: Path) -> None:
    """Contradictory must-rules: the page explains, the run is kept, the exit code tells a program."""
    done = run("solve", root / "tests" / "golden" / "infeasible_target", "-o", tmp_path / "run")
    assert done.exit_code == 4
    assert "lower by 30 units" in done.output
    assert (tmp_path / "run" / "tables" / "repairs.csv").is_file()


def test_no_time_ends_with_5(plan: Path) -> None:
    """A limit before the first plan is not an error of the plan."""
    done = run("solve", plan, "--time-limit", 0)
    assert done.exit_code == 5
    assert "the time limit came first" in done.output


def test_a_failing_solver_ends_with_6(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the solver layer raises is said in one line."""
    from solvers.errors import NativeSolverError

    def fail(*_arguments: object, **_options: object) -> None:
        raise NativeSolverError("the library gave up")

    monkeypatch.setattr("scenarios.running.solve", fail)
    done = run("solve", plan)
    assert done.exit_code == 6
    assert done.stderr == "The solver layer failed: the library gave up\n"


def test_check_prints_what_rules_may_name(plan: Path) -> None:
    """Size, columns and labels; with --metrics the definitions."""
    done = run("check", plan, "--metrics")
    assert done.exit_code == 0
    assert "Anna Berg" in done.output and "2027-Q1" in done.output
    assert "revenue over market size" in done.output


def test_check_finds_errors_without_a_solver(plan: Path) -> None:
    """An error among the findings ends with 3, on the page and for programs."""
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text + "limits: [{name: Impossible, metric: margin, at_least: 1}]\n", encoding="utf-8")
    done = run("check", plan)
    assert done.exit_code == 3
    assert "This plan cannot be solved as it stands." in done.output
    data = json.loads(run("check", plan, "--json").stdout)
    assert data["ok"] is False
    assert data["findings"][0]["level"] == "error" and data["findings"][0]["place"]["file"] == "plan.yaml"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_check_speaks_the_language_of_the_plan(language: str, plan: Path) -> None:
    """The page of `check` is translated whole."""
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("name:", f"language: {language}\nname:", 1), encoding="utf-8")
    output = run("check", plan, "--metrics").output
    for key in ("check_labels", "check_metrics", "check_define_revenue", "check_shape"):
        assert messages.text(f"report.{key}", language).split("（")[0][:12] in output


def test_fit_makes_a_plan_that_check_accepts(tmp_path: Path) -> None:
    """An export of orders becomes a plan, with a report on its quality."""
    rows = [
        f"{number},2026-{1 + number % 12:02d}-{1 + number % 27:02d},{seller},Pump,Won,{900 + number % 70}"
        for number, seller in enumerate(["Anna", "Ben", "Cara"] * 60)
    ]
    header = "order,date,seller,product,stage,amount"
    history = tmp_path / "orders.csv"
    history.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    done = run("fit", history, "-o", tmp_path / "fitted")
    assert done.exit_code == 0, done.output
    assert run("check", tmp_path / "fitted").exit_code == 0


def test_fit_of_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    """No traceback, no folder."""
    done = run("fit", tmp_path / "nothing.csv", "-o", tmp_path / "fitted")
    assert done.exit_code == 3
    assert not (tmp_path / "fitted").exists()


def test_schema_is_the_one_in_the_docs(root: Path) -> None:
    """Editors get the same from the command and from the repository."""
    assert run("schema").output == plan_schema_text()


def test_the_columns_of_the_tables_are_those_in_the_docs(root: Path) -> None:
    """docs/columns.md is what `apportion schema --tables` prints; `> docs/columns.md` brings it up to date."""
    printed = run("schema", "--tables").output
    assert (root / "docs" / "columns.md").read_text(encoding="utf-8") == printed


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_the_first_interruption_gives_the_best_plan_so_far(tmp_path: Path, root: Path) -> None:
    """Ctrl-C during a long solve: the page says that it was stopped by hand, with or without a plan."""
    folder = hard_plan(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", "import cli; cli.main()", "solve", str(folder), "--verbose"],
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    # The log of the solver shows that it runs; from then on the handler is in place.
    for line in process.stderr:
        if "Running HiGHS" in line or "HiGHS run" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert messages.text("cli.stopping", "en") in errors
    assert process.returncode in (0, 5)
    assert messages.text("report.why_interrupted", "en") in output


def hard_plan(folder: Path) -> Path:
    """A plan in whole units that takes a solver much longer than the test waits."""
    markets = [
        f"R{at % 8},P{at},{1000 + 137 * at % 9000},0.{2 + at % 5}1,{300 + 17 * at},{100 + 7 * at}"
        for at in range(30)
    ]
    sellers = [f"S{at},{1_000_003 + 37_507 * at}" for at in range(60)]
    territories = [f"S{at},P{(7 * at + 11 * step * step) % 30}" for at in range(60) for step in range(5)]
    (folder / "markets.csv").write_text(
        "\n".join(["region,product,price,margin_rate,potential,last_year_units", *markets]), encoding="utf-8"
    )
    (folder / "sellers.csv").write_text(
        "\n".join(["seller,capacity,capacity_unit", *(f"{row},revenue" for row in sellers)]), encoding="utf-8"
    )
    (folder / "territories.csv").write_text(
        "\n".join(["seller,product", *dict.fromkeys(territories)]), encoding="utf-8"
    )
    (folder / "plan.yaml").write_text(
        "name: Hard\nwhole_units: true\n"
        "calendar: {start: 2027-01-01, periods: 12, every: month}\n"
        "tables: {markets: markets.csv, sellers: sellers.csv, territories: territories.csv}\n"
        "targets:\n"
        "  - {name: Year, metric: revenue, growth: 0.3}\n"
        "  - {name: Regions, metric: revenue, each: region, growth: 0.2, priority: 2}\n",
        encoding="utf-8",
    )
    return folder
