"""The program of a plan as an MPS or LP file, with names that say what each row and column is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from optimizer.comparing import stage_name, stage_program
from optimizer.errors import InputError
from optimizer.io.write import replace_file
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.settings import SolveSettings
from solvers.files import write_lp, write_mps

WRITERS = {".mps": write_mps, ".lp": write_lp}


@dataclass(frozen=True)
class Exported:
    """What was written: the stage, and the size of its program."""

    stage: str
    columns: int
    rows: int
    entries: int


def export_plan(
    plan: Plan,
    target: Path,
    stage: str | None = None,
    settings: SolveSettings | None = None,
    relax: bool = False,
) -> Exported:
    """Write the program of one stage (the money stage unless given), with the stages before it locked.

    The ending of `target` says which format: .mps or .lp. The file appears whole or not at all. Raises
    `InputError` for another ending, an unknown stage, a plan whose earlier stages have no solution, and for
    response curves, which such a file cannot hold, unless `relax` takes them by their concave envelopes.
    """
    writer = WRITERS.get(target.suffix.lower())
    if writer is None:
        raise InputError("model.export_ending", file=target.name, known=", ".join(WRITERS))
    settings = settings or SolveSettings()
    model = compile_plan(resolve(plan), settings.seat_groups)
    name = stage_name(model, stage)
    program = stage_program(model, name, relax, settings)
    with replace_file(target) as scratch:
        writer(program, scratch)
    return Exported(name, program.num_columns, program.num_rows, int(program.matrix.nnz))
