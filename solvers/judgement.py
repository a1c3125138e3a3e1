"""What one solver's answer is worth beside the others: the rules behind the verdicts of `compare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from solvers.isolation import Ending, IsolatedResult
from solvers.program import LinearProgram
from solvers.result import Reason, SolveResult

SHARP = 1e-6
_LOOSE = 1e-3
_USUAL_GAP = 1e-4
_SAME_VALUES = 1e-6
_NO_PLAN = (Reason.INFEASIBLE, Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED)

Outcomes = Sequence[tuple[str, IsolatedResult]]


class Verdict(StrEnum):
    """What an answer is, beside the others."""

    SAME_OPTIMUM = "same optimum"
    ANOTHER_OPTIMUM = "another optimum"
    LOOSER_PRECISION = "looser precision"
    SAME_STATUS = "same status"
    WORSE_ANSWER = "worse answer"
    WRONG_VALUES = "wrong values"
    WRONG_STATUS = "wrong status"
    CRASHED = "crashed"
    HUNG = "hung"
    REFUSED = "refused"
    NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Judgement:
    """A verdict with its reason in plain words, and the true precision of the answer where it has one."""

    verdict: Verdict
    why: str
    precision: float | None = None


@dataclass(frozen=True)
class Judge:
    """All answers to one program; `gap` is what was asked of whole-number programs."""

    program: LinearProgram
    outcomes: Outcomes
    gap: float | None = None

    @property
    def best(self) -> tuple[str, SolveResult] | None:
        """The best objective among the sharp answers, or among all where none is sharp."""
        answers = [
            (solver, outcome.result) for solver, outcome in self.outcomes if outcome.result.has_solution
        ]
        sharp = [(solver, result) for solver, result in answers if own_precision(result) <= SHARP]
        return min(sharp or answers, key=lambda answer: self._sign * answer[1].objective, default=None)

    def judge(self, solver: str, outcome: IsolatedResult, moved: float | None) -> Judgement:
        """The judgement of one answer; `moved` is its distance in volume from the first one."""
        result = outcome.result
        detail = result.termination.detail
        if outcome.ended in (Ending.CRASHED, Ending.RAISED):
            return Judgement(Verdict.CRASHED, detail)
        if outcome.ended is Ending.KILLED:
            return Judgement(Verdict.HUNG, detail)
        if outcome.ended is Ending.REFUSED:
            return Judgement(Verdict.REFUSED, detail)
        if result.has_solution:
            return self._judge_values(solver, result, moved)
        return self._judge_without_values(solver, result)

    @property
    def _sign(self) -> float:
        return -1.0 if self.program.maximize else 1.0

    @property
    def _tolerance(self) -> float:
        """Relative difference of objectives that counts as none: both may be off by the asked gap."""
        if not self.program.is_mip:
            return SHARP
        return SHARP + (_USUAL_GAP if self.gap is None else self.gap)

    def _shortfall(self, objective: float) -> float:
        """How much worse than the best, relative to the largest term of the best; negative when better."""
        if self.best is None:
            return 0.0
        result = self.best[1]
        terms = np.abs(self.program.objective * result.values)
        scale = max(abs(result.objective), float(terms.max(initial=0.0))) or 1.0
        return self._sign * (objective - result.objective) / scale

    def _judge_values(self, solver: str, result: SolveResult, moved: float | None) -> Judgement:
        shortfall, own = self._shortfall(result.objective), own_precision(result)
        precision = max(own, abs(shortfall))
        best = self.best[0] if self.best else solver
        claims = result.termination.reason is Reason.OPTIMAL
        if result.bound is not None and self._shortfall(result.bound) > max(SHARP, 10 * own):
            return Judgement(Verdict.WRONG_STATUS, f"its bound is refuted by the plan of {best}", precision)
        if abs(shortfall) <= self._tolerance and own <= SHARP:
            proof = "" if claims else f", though it stopped by {result.termination.reason}"
            if moved is not None and moved > _SAME_VALUES:
                return Judgement(
                    Verdict.ANOTHER_OPTIMUM, f"the same objective by other values{proof}", precision
                )
            return Judgement(Verdict.SAME_OPTIMUM, f"the same objective and values{proof}", precision)
        if not claims and own <= SHARP:
            why = f"it stopped by {result.termination.reason}, {shortfall:.1e} behind {best}"
            return Judgement(Verdict.WORSE_ANSWER, why, precision)
        if own > SHARP and precision <= _LOOSE:
            return Judgement(Verdict.LOOSER_PRECISION, f"it holds within {precision:.1e} only", precision)
        why = f"it says {result.termination.reason}, but {best} is {shortfall:.1e} better"
        return Judgement(Verdict.WRONG_STATUS if claims else Verdict.WORSE_ANSWER, why, precision)

    def _judge_without_values(self, solver: str, result: SolveResult) -> Judgement:
        reason, residuals = result.termination.reason, result.residuals
        rejected = next((note for note in result.notes if note.startswith("values not accepted")), "")
        if reason is Reason.IMPRECISE and rejected:
            if residuals is None:
                return Judgement(Verdict.WRONG_VALUES, rejected)
            precision = max(own_precision(result), abs(self._shortfall(residuals.objective)))
            verdict = Verdict.LOOSER_PRECISION if precision <= _LOOSE else Verdict.WRONG_VALUES
            return Judgement(verdict, rejected, precision)
        if reason is Reason.OPTIMAL:
            return Judgement(Verdict.WRONG_STATUS, "it says optimal and gives no values")
        if reason not in _NO_PLAN:
            return Judgement(Verdict.NO_ANSWER, f"it stopped by {reason} without values")
        return self._judge_status(solver, reason)

    def _judge_status(self, solver: str, reason: Reason) -> Judgement:
        for name, outcome in self.outcomes:
            other = outcome.result
            optimal = other.is_optimal and own_precision(other) <= SHARP
            if other.has_solution and (optimal or reason is Reason.INFEASIBLE):
                return Judgement(Verdict.WRONG_STATUS, f"it says {reason}, but {name} has a verified plan")
        opposite = {Reason.INFEASIBLE: Reason.UNBOUNDED, Reason.UNBOUNDED: Reason.INFEASIBLE}.get(reason)
        for name, outcome in self.outcomes:
            if opposite is not None and outcome.result.termination.reason is opposite and name != solver:
                return Judgement(
                    Verdict.NO_ANSWER, f"it says {reason} and {name} says {opposite}; neither is proved"
                )
        return Judgement(Verdict.SAME_STATUS, f"it says {reason}, and no answer speaks against it")


def own_precision(result: SolveResult) -> float:
    """The worst of an answer's residuals, those of its duals included."""
    residuals = result.residuals
    if residuals is None:
        return 0.0
    return max(residuals.worst, residuals.dual or 0.0, residuals.slackness or 0.0)
