"""Texts that a spreadsheet would run as a formula, made harmless in CSV and XLSX and read back unchanged.

A text (never a number) that begins with = + - @ TAB or CR, after any apostrophes, gets one apostrophe in
front; reading takes one away. A label may come from somebody else's export, and `=HYPERLINK(...)` in a result
would otherwise run on the computer of whoever opens it. (OWASP, "CSV Injection")
"""

from __future__ import annotations

import re

_RUNS = re.compile(r"'*[=+\-@\t\r]")
_PROTECTED = re.compile(r"'+[=+\-@\t\r]")


def protect(text: str) -> str:
    """The text as a spreadsheet may show it: `=1+1` becomes `'=1+1`."""
    return "'" + text if _RUNS.match(text) else text


def unprotect(text: str) -> str:
    """The text as it was before `protect`."""
    return text[1:] if _PROTECTED.match(text) else text
