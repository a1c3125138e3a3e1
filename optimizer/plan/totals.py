"""Rows and columns that are sums of others, as spreadsheets carry them: Итого, 合计, Total."""

from __future__ import annotations

import re

_WORDS = (
    "total|totals|subtotal|sub-total|sub total|grand total|sum|overall|"
    "итого|всего|итог|общий итог|промежуточный итог|"
    "合计|总计|小计|总和|合計|總計|小計"
)
_CHINESE = "合计|总计|小计|合計|總計|小計"
_WHOLE = re.compile(rf"(?:{_WORDS})[:：.]?", re.IGNORECASE)
_OPENING = re.compile(rf"(?:итого|всего|итог)[\s:：,.-].*|(?:{_CHINESE})[\s:：].*", re.IGNORECASE)
_CLOSING = re.compile(rf".*\s(?:sub)?total[:：]?|.*(?:{_CHINESE})[:：]?|.*\sитог", re.IGNORECASE)


def is_total(label: str) -> bool:
    """Whether a label says that it is of a sum: `Итого`, `Всего по югу`, `华东合计`, `East Total`."""
    text = " ".join(label.split())
    return any(pattern.fullmatch(text) is not None for pattern in (_WHOLE, _OPENING, _CLOSING))
