"""The commands of `apportion`, a module each; heavy libraries are imported inside the functions."""

from scenarios.commands.batch import batch
from scenarios.commands.check import check
from scenarios.commands.curves import curves
from scenarios.commands.diff import diff
from scenarios.commands.explain import explain
from scenarios.commands.export import export
from scenarios.commands.fit import fit
from scenarios.commands.new import new
from scenarios.commands.replan import replan
from scenarios.commands.risk import risk
from scenarios.commands.schema import schema
from scenarios.commands.solve import solve
from scenarios.commands.solvers import solvers
from scenarios.commands.sweep import sweep
from scenarios.commands.track import track

COMMANDS = (
    new, check, solve, explain, track, replan, sweep, batch, risk, diff, curves, fit, solvers, export, schema,
)  # fmt: skip
"""In the order of a planner's work."""

__all__ = ["COMMANDS"]
