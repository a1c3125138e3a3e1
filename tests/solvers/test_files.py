"""Tests of MPS and LP files, on published files with known optima and on odd ones."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from solvers import Block, LinearProgram, Reason, SolveOptions, read_mps, solve, write_lp, write_mps
from solvers.errors import InvalidProgramError
from solvers.names import all_names

Build = Callable[..., LinearProgram]

ARRAYS = ("objective", "row_lower", "row_upper", "column_lower", "column_upper", "integer")
NAMES = [
    *("avgas", "bgetam", "egout", "flugpl", "galenet", "gas11", "refinery", "rgn", "small_mip", "woodinfe"),
    *("gt2", "p0033", "adlittle", "afiro", "blend", "brandy", "degen2", "israel", "recipe", "sc105", "sc50a"),
    *("share2b", "stocfor1"),
]

ODD = """NAME odd
* a comment
OBJSENSE
    MAXIMIZE
ROWS
 N cost
 L low
 G high
 E plus
 E minus
 N other
COLUMNS
 x cost 1 low 2
 x high 1
 MARK 'MARKER' 'INTORG'
 k cost 3 plus 1
 b low 1
 MARK 'MARKER' 'INTEND'
 y minus 1 other 5
 z low 1
RHS
 RHS cost -7 low 4
 RHS high 1 plus 2
 RHS minus 3
RANGES
 R low 3 high 5
 R plus 2 minus -2
BOUNDS
 UP B x -1
 LO B k 2
 FR B y
 MI B z
 UP B z 9
ENDATA
"""


def _same(one: LinearProgram, other: LinearProgram) -> None:
    for name in ARRAYS:
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-15, atol=0), name
    assert abs(one.matrix - other.matrix).max() == 0
    assert (one.offset, one.maximize) == (other.offset, other.maximize)


@pytest.mark.parametrize("name", NAMES)
def test_published_files_have_their_known_optimum(shared: Path, tmp_path: Path, name: str) -> None:
    """Read, solved, verified; infeasible and unbounded ones named so; written and read again the same."""
    folder = shared / "data" / "lp_mip"
    with (folder / "known_optima.csv").open(encoding="utf-8", newline="") as table:
        known = next(row for row in csv.DictReader(table) if row["name"] == name)
    program = read_mps(folder / known["set"] / f"{name}.mps.gz")
    assert (program.num_rows, program.num_columns) == (int(known["rows"]), int(known["cols"]))
    assert program.integer.sum() == int(known["integer_cols"])
    result = solve(program, SolveOptions(gap=1e-9))
    if known["highs_status"] == "kOptimal":
        assert result.is_optimal
        wanted = float(known["published_optimum"] or known["highs_objective"])
        assert result.objective == pytest.approx(wanted, rel=1e-5)
        assert result.objective == pytest.approx(float(known["highs_objective"]), rel=1e-7, abs=1e-9)
    else:
        reason = Reason.INFEASIBLE if known["highs_status"] == "kInfeasible" else Reason.UNBOUNDED
        assert result.termination.reason is reason
        assert not result.has_solution
    write_mps(program, tmp_path / "again.mps.gz")
    _same(program, read_mps(tmp_path / "again.mps.gz"))


def test_conventions_of_the_format(tmp_path: Path) -> None:
    """Ranges of every kind of row, a negative upper bound, bare integers, the constant, extra free rows."""
    (tmp_path / "odd.mps").write_text(ODD, encoding="utf-8")
    program = read_mps(tmp_path / "odd.mps")
    assert program.maximize
    assert program.offset == 7
    assert program.row_lower.tolist() == [1, 1, 2, 1, -np.inf]
    assert program.row_upper.tolist() == [4, 6, 4, 3, np.inf]
    assert program.column_lower.tolist() == [-np.inf, 2, 0, -np.inf, -np.inf]
    assert program.column_upper.tolist() == [-1, np.inf, 1, np.inf, 9]
    assert program.integer.tolist() == [False, True, True, False, False]
    assert all_names(program.column_blocks, 5, "column") == ["x", "k", "b", "y", "z"]
    write_mps(program, tmp_path / "again.mps")
    _same(program, read_mps(tmp_path / "again.mps"))


def test_fixed_format_allows_blanks_in_names(tmp_path: Path) -> None:
    """The old fixed columns hold names such as `COL 1`."""
    lines = [
        "NAME          BLANKS",
        "ROWS",
        " N  COST",
        " L  ROW 1",
        "COLUMNS",
        "    COL 1     COST             -1.0    ROW 1             2.0",
        "RHS",
        "    RHS       ROW 1             8.0",
        "BOUNDS",
        " UP BND       COL 1             3.0",
        "ENDATA",
    ]
    (tmp_path / "fixed.mps").write_text("\n".join(lines), encoding="utf-8")
    program = read_mps(tmp_path / "fixed.mps")
    assert all_names(program.column_blocks, 1, "column") == ["COL%201"]
    assert solve(program).objective == pytest.approx(-3)


def test_names_survive_the_file(build: Build, tmp_path: Path) -> None:
    """Blocks with labels of any alphabet come back from an MPS file, plain or compressed."""
    labels = [("Ли, Вэй", "2027-01"), ("North East", "2027-01"), ("North_East", "2027-02")]
    program = build(
        [1, 2, 3],
        [[1, 1, 1], [1, 0, 2]],
        row_upper=[4, 5],
        maximize=True,
        integer=[False, True, False],
        row_blocks=(Block("demand", 0, 2, lambda: [("Север",), ("北京",)]),),
        column_blocks=(Block("sales", 0, 3, lambda: labels),),
    )
    for name in ("plan.mps", "plan.mps.gz"):
        write_mps(program, tmp_path / name)
        again = read_mps(tmp_path / name)
        assert again.column_blocks[0].name == "sales"
        assert [again.column_blocks[0].label(place) for place in range(3)] == labels
        assert [block.label(1) for block in again.row_blocks] == [("北京",)]
    assert gzip.decompress((tmp_path / "plan.mps.gz").read_bytes()) == (tmp_path / "plan.mps").read_bytes()


@pytest.mark.parametrize("name", ["small_mip", "afiro", "p0033", "recipe"])
def test_lp_files_mean_the_same(shared: Path, tmp_path: Path, name: str) -> None:
    """An independent reader of LP files finds the same optimum, ranges and free columns included."""
    import highspy

    path = next((shared / "data" / "lp_mip").rglob(f"{name}.mps.gz"))
    program = read_mps(path)
    write_lp(program, tmp_path / "plan.lp")
    reader = highspy.Highs()
    reader.setOptionValue("output_flag", False)
    assert reader.readModel(str(tmp_path / "plan.lp")) == highspy.HighsStatus.kOk
    reader.run()
    assert reader.getObjectiveValue() == pytest.approx(solve(program).objective, rel=1e-6)


def test_lp_file_is_readable(wyndor: LinearProgram, tmp_path: Path) -> None:
    """Families and labels, one row a line; a range is two rows."""
    ranged = wyndor.replace(row_lower=np.array([-np.inf, 1.0, 18.0]), offset=-2.5)
    write_lp(ranged, tmp_path / "wyndor.lp")
    assert (tmp_path / "wyndor.lp").read_text(encoding="utf-8").splitlines() == [
        "Maximize",
        " objective: + 3.0 batches(doors) + 5.0 batches(windows) - 2.5",
        "Subject To",
        " plant(1): + 1.0 batches(doors) <= 4.0",
        " plant(2): + 2.0 batches(windows) <= 12.0",
        " plant(2)_at_least: + 2.0 batches(windows) >= 1.0",
        " plant(3): + 3.0 batches(doors) + 2.0 batches(windows) = 18.0",
        "Bounds",
        " 0.0 <= batches(doors)",
        " 0.0 <= batches(windows)",
        "End",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (" x high 1", " x hihg 1", "line 14.*no row hihg"),
        (" x high 1", " x low 1", "line 14.*appears twice"),
        (" FR B y", " ZZ B y 1", "ZZ are not known"),
        (" UP B x -1", " UP B q -1", "q"),
        ("RANGES", "SOS1", "unknown section"),
        ("ENDATA", "", "without ENDATA"),
        (" x cost 1 low 2", " x cost one low 2", "one"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    """What cannot be read is said with its place."""
    (tmp_path / "bad.mps").write_text(ODD.replace(old, new), encoding="utf-8")
    with pytest.raises(InvalidProgramError, match=words) as error:
        read_mps(tmp_path / "bad.mps")
    assert "bad.mps" in str(error.value)
