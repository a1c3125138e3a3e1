"""The expert file of the whole chain, run in full and kept: what README.md shows of it.

    python -m benchmarks.risk_run [--workers 2]

Takes about seven minutes on two cores, too long for the tests. `runs/premium_chain_expert/` keeps the page,
and in `run.json` what it was made from: digests of the plan's files, of the risk file and of the samples. The
tests compare README.md with the page, and these digests with what ships: neither moves without the other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from scenarios import examples
from scenarios.engine import engine_of
from scenarios.risk.analysis import Analysis, load
from scenarios.risk.options import asked_for
from scenarios.risk.page import risk_page
from scenarios.risk.whole import whole_analysis

PACK = examples.FOLDER / "premium_chain"
RISK = PACK / "risk" / "expert.yaml"
KEPT = Path(__file__).resolve().parent / "runs" / "premium_chain_expert"
DECIDE, REDUCE_TO = 200, 8
COMMAND = f"apportion risk plan.yaml risk/expert.yaml --decide {DECIDE} --reduce-to {REDUCE_TO}"


def made_from(found: Analysis) -> dict[str, Any]:
    """What a run was made from, and how long its parts took."""
    summary = found.summary()
    names = ("plan", "risk", "seed", "samples", "plan_digest", "samples_digest", "decided_for", "reduced_to")
    seconds = {name: round(value, 1) for name, value in found.seconds.items()}
    return {
        "command": COMMAND, **{name: summary[name] for name in names}, "risk_digest": file_digest(RISK),
        "seconds": seconds,
    }  # fmt: skip


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Run it, and keep its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    base, risk = load(PACK, RISK)
    with engine_of(f"process:{workers}") as engine:
        found = whole_analysis(base, asked_for(risk, DECIDE, REDUCE_TO), engine=engine)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "page.txt").write_text(risk_page(found, "en"), encoding="utf-8")
    text = json.dumps(made_from(found), indent=2, ensure_ascii=False)
    (KEPT / "run.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
