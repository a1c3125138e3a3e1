"""`explain` on run folders and plans: the same numbers as the run, in sentences and as a table."""

from __future__ import annotations

import re
import shutil
import threading
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import cli
from optimizer.errors import LimitReachedError
from scenarios.examples import FOLDER
from scenarios.explaining import solved_run

EXCERPT = re.compile(r"<!-- explain: (\w+) (.+?) -->\n```text\n(.*?)```", re.DOTALL)


def apportion(*arguments: str) -> Result:
    """The command line with these arguments."""
    return CliRunner().invoke(cli.main, list(arguments))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The main pack, solved into a run folder."""
    folder = tmp_path_factory.mktemp("explain") / "run"
    done = apportion("solve", str(FOLDER / "premium_year"), "-o", str(folder), "--quiet")
    assert done.exit_code == 0, done.output
    return folder


def test_a_run_holds_its_quotas_and_letters(run: Path) -> None:
    """Tables, one letter a leaf, one page a manager, and the check list in the summary."""
    quotas = pd.read_csv(run / "tables" / "quotas.csv")
    year = quotas[(quotas["quota"] == "Revenue") & (quotas["span"].astype(str) == "2027")]
    assert year[year["level"] == "region"]["amount"].sum() == 120_000_000
    letters = list((run / "letters").iterdir())
    leaves = quotas[(quotas["level"] == "seller")].groupby("quota")["node"].nunique().sum()
    assert sum(path.suffix == ".csv" for path in letters) == leaves
    assert "letters/" in (run / "page.txt").read_text(encoding="utf-8")
    text = (run / "summary.json").read_text(encoding="utf-8")
    assert '"integrity"' in text and '"unassigned": 0.0' in text


@pytest.mark.slow
def test_the_explanation_ends_at_the_number_of_the_run(run: Path) -> None:
    """The steps of a seller's quota add up to what the run's table says."""
    done = apportion("explain", str(run), "--node", "seller=Li Wei", "--table")
    assert done.exit_code == 0, done.output
    steps = pd.read_csv(StringIO(done.output))
    quotas = pd.read_csv(run / "tables" / "quotas.csv").query(
        "span == '2027' and node.str.endswith('Li Wei')"
    )
    for name, amount in zip(quotas["quota"], quotas["amount"], strict=True):
        assert steps[steps["quota"] == name]["adds"].sum() == pytest.approx(amount)
    page = apportion("explain", str(run), "--node", "seller=Li Wei", "--span", "2027-Q2")
    assert "Li Wei · 2027-Q2" in page.output


@pytest.mark.slow
def test_a_month_is_explained_by_the_quotas_that_have_months(run: Path) -> None:
    """Revenue is by month and new customers by quarter only: March tells of revenue alone, in both forms."""
    arguments = ("explain", str(run), "--node", "seller=Li Wei", "--span", "2027-03")
    page, table = apportion(*arguments), apportion(*arguments, "--table")
    assert (page.exit_code, table.exit_code) == (0, 0)
    assert page.output.count("Li Wei · 2027-03") == 1
    assert set(pd.read_csv(StringIO(table.output))["quota"]) == {"Revenue"}
    unknown = apportion("explain", str(run), "--node", "seller=Li Wei", "--span", "2027-13")
    assert unknown.exit_code == 3 and "nearest: 2027-01" in unknown.stderr


def test_the_readme_shows_what_the_command_prints(run: Path) -> None:
    """Every line under `<!-- explain: PACK NODE -->` in the README stands in the explanation of that node."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    ((pack, node, excerpt),) = EXCERPT.findall(readme)
    assert pack == "premium_year"
    printed = apportion("explain", str(run), "--node", node).output.splitlines()
    assert [line for line in excerpt.splitlines() if line not in printed] == []


def test_a_target_is_explained_in_another_language(run: Path) -> None:
    """What one more percentage point for agents brings, in Russian."""
    done = apportion("explain", str(run), "--target", "Agents", "--language", "ru")
    assert done.exit_code == 0, done.output
    assert "Agents: выполнено, 15 % при ≤ 15 %" in done.output.replace("\u00a0", " ")
    assert "маржинальный доход изменится на +" in done.output


def test_a_plan_stands_for_itself_and_slips_are_refused(tmp_path: Path) -> None:
    """A plan folder is solved; a node without a column and an unknown target end with exit code 3."""
    shutil.copytree(FOLDER / "people_and_target", tmp_path / "plan")
    assert apportion("explain", str(tmp_path / "plan")).exit_code == 0
    assert apportion("explain", str(tmp_path / "plan"), "--node", "Li Wei").exit_code == 3
    assert apportion("explain", str(tmp_path / "plan"), "--target", "Nothing").exit_code == 3
    assert apportion("explain", str(tmp_path / "nowhere")).exit_code == 3


def test_an_explanation_that_is_out_of_time_ends_like_a_solve() -> None:
    """No plan in time is not the same as no plan at all."""
    interrupt = threading.Event()
    interrupt.set()
    with pytest.raises(LimitReachedError):
        solved_run(FOLDER / "markets_only", interrupt)
