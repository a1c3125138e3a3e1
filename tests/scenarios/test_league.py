"""Tables that are written piece by piece."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from scenarios.league import GROUP_CHUNKS, table_file


def test_pieces_become_a_few_groups_and_all_rows_are_there(tmp_path: Path) -> None:
    """Rows keep their order over pieces and groups, in both files; the last group is what is left."""
    count = 2 * GROUP_CHUNKS + 3
    with table_file(tmp_path, "t", ("name", "value"), ("name",)) as table:
        for number in range(count):
            table.add([{"name": f"n{number}", "value": number}, {"name": f"m{number}"}])
    found = pq.ParquetFile(tmp_path / "t.parquet")
    assert found.num_row_groups == 3
    rows = found.read().to_pandas()
    assert rows["name"].tolist() == [f"{kind}{number}" for number in range(count) for kind in "nm"]
    assert rows["value"].dropna().tolist() == list(range(count))
    text = pd.read_csv(tmp_path / "t.csv", encoding="utf-8-sig")
    assert text["name"].tolist() == rows["name"].tolist()
