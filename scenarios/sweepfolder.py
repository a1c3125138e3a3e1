"""The folder of a sweep: a file a finished scenario, so that a killed sweep goes on where it stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from optimizer.io.paths import file_digest
from optimizer.io.replace import make_folder, refuse_foreign
from optimizer.io.write import json_text, replace_file, write_json, write_table
from scenarios.record import FORMAT, Record
from scenarios.worker import Done

MARKER = "sweep.json"
RECORDS = "records"
CHANGES = ".changes.parquet"


class SweepFolder:
    """What is on disk of one sweep; a record is there whole or not at all, its changes before it."""

    def __init__(self, path: Path, fresh: bool) -> None:
        """Use a folder; with `fresh` what an earlier sweep left in it goes.

        Raises `InputError` where it is a file, or holds something else than a sweep.
        """
        self.path, self.records = path, path / RECORDS
        refuse_foreign(path.resolve(), MARKER)
        make_folder(self.records.resolve())
        if not (path / MARKER).is_file():
            self.mark({"state": "running"})
        if fresh:
            for file in self.records.iterdir():
                if file.is_file():
                    file.unlink()

    def mark(self, data: dict[str, Any]) -> None:
        """Write sweep.json."""
        with replace_file(self.path / MARKER) as file:
            write_json({"format": FORMAT, **data}, file)

    def marked(self) -> dict[str, Any]:
        """What sweep.json says."""
        found: dict[str, Any] = json.loads((self.path / MARKER).read_text(encoding="utf-8"))
        return found

    def write(self, done: Done) -> None:
        """Put one scenario on disk; raises `InputError` when the disk is full."""
        stem = self._stem(done.record.name, done.record.digest)
        if len(done.changes):
            with replace_file(self.records / f"{stem}{CHANGES}") as file:
                write_table(done.changes, file)
        with replace_file(self.records / f"{stem}.json") as file:
            file.write_text(json_text(done.record.as_json(), indent=None) + "\n", encoding="utf-8")

    def read(self, name: str, digest: str) -> Record | None:
        """The record of a scenario, None where there is none that can be read and has this digest."""
        path = self.records / f"{self._stem(name, digest)}.json"
        if not path.is_file():
            return None
        try:
            record = Record.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError, KeyError):
            # Written by another version, or damaged: it is made again.
            return None
        return record if record.digest == digest and record.format == FORMAT else None

    def still_holds(self, record: Record, folder: Path) -> bool:
        """Whether the further files that a record depends on are what they were."""
        for name, digest in record.files.items():
            path = folder / name
            if not path.is_file() or file_digest(path) != digest:
                return False
        return True

    def changes(self, record: Record) -> pd.DataFrame:
        """Every changed cell of a scenario; raises `OSError` where the file is gone."""
        path = self.records / f"{self._stem(record.name, record.digest)}{CHANGES}"
        if not path.is_file():
            return pd.DataFrame()
        # Small files: opened alone, without a search for others beside them.
        return pq.ParquetFile(path).read(use_threads=False).to_pandas()

    def stored(self) -> Iterator[Path]:
        """Every record on disk, by name of the file."""
        yield from sorted(self.records.glob("*.json"))

    @staticmethod
    def _stem(name: str, digest: str) -> str:
        slug = re.sub(r"[^\w]+", "_", name).strip("_")[:40]
        return f"{slug}-{digest[:16]}"
