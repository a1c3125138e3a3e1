"""`fit`: read, clean, estimate, write."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import InputError, Place
from optimizer.history.cleaning import clean
from optimizer.history.deals import Deals
from optimizer.history.estimates import EstimateLog
from optimizer.history.guess import guess_mapping
from optimizer.history.mapping import MappingSpec
from optimizer.history.mapping_file import dump_mapping, load_mapping
from optimizer.history.people import team
from optimizer.history.quality import Quality
from optimizer.history.rates import market_rates
from optimizer.history.report import FitReport, counts_of
from optimizer.history.reproduction import reproduction
from optimizer.history.source import join_lookups, read_export
from optimizer.history.tables import Fitted, plan_tables
from optimizer.history.timing import lag_profiles, season
from optimizer.history.volume import market_volume
from optimizer.io.write import replace_folder, write_table

MARKER = "estimates.csv"
"""The file by which a folder that `fit` has written is known, so that only such a folder is replaced."""


def fit(history: Path, out: Path, mapping: Path | None = None) -> FitReport:
    """Turn a CRM or order export into plan tables in the folder `out`, with a report on their quality.

    Without a mapping file the columns are guessed by name and the report lists the guesses. Writes
    `plan.yaml` with `markets`, `sellers`, `territories` and `profiles`; the tables `estimates`, `quality` and
    `reproduction`; and the used `mapping.yaml`. Raises `InputError` when the history or the mapping cannot be
    used.
    """
    spec = guess_mapping(history) if mapping is None else load_mapping(mapping)
    return _fit(history, out, spec, guessed=mapping is None)


def fit_history(mapping_file: Path, out: Path) -> FitReport:
    """`fit` with the history that the mapping file itself names (`history:`, relative to the mapping)."""
    spec = load_mapping(mapping_file)
    if spec.history is None:
        raise InputError("history.no_history", Place(file=mapping_file.name))
    return _fit(mapping_file.parent / spec.history, out, spec, guessed=False)


def _fit(history: Path, out: Path, spec: MappingSpec, guessed: bool) -> FitReport:
    quality = Quality()
    frame = join_lookups(read_export(history, spec, quality), history.parent, spec, quality)
    deals = clean(frame, spec, history.name, quality)
    report = _estimate(deals, out, spec.plan.name or history.stem.replace("_", " "), quality, guessed)
    _write(report)
    return report


def _estimate(deals: Deals, out: Path, name: str, quality: Quality, guessed: bool) -> FitReport:
    spec = deals.spec
    log = EstimateLog(spec.method.thin)
    rates = market_rates(deals, log)
    seasonal = season(deals, log, quality)
    lags = lag_profiles(deals, log, quality)
    volume = market_volume(deals, rates, seasonal, log, quality)
    people = team(deals, rates, seasonal, log, quality)
    plan = plan_tables(Fitted(deals, rates, volume, seasonal, lags, people), name, quality)
    growth = f"{spec.plan.growth:.0%}"
    quality.note("target_assumed", "assumed", table="plan", column="growth", value=growth, growth=growth)
    return FitReport(
        folder=out,
        mapping=spec,
        guessed=guessed,
        language=spec.plan.language,
        quality=quality.frame(spec.plan.language),
        estimates=log.frame(),
        reproduction=reproduction(deals, rates, seasonal, people),
        tables=plan.tables,
        plan=plan.plan,
        findings=quality,
        counts=counts_of(deals, quality.total),
    )


def _write(report: FitReport) -> None:
    """The whole folder or nothing: a folder of an earlier fit is replaced, any other is refused."""
    with replace_folder(report.folder, MARKER) as folder:
        for name, frame in report.tables.items():
            write_table(frame, folder / f"{name}.csv")
        for name in ("estimates", "quality", "reproduction"):
            write_table(getattr(report, name), folder / f"{name}.csv")
        (folder / "plan.yaml").write_text(report.plan, encoding="utf-8")
        (folder / "mapping.yaml").write_text(dump_mapping(report.mapping), encoding="utf-8")
