"""Errors in the reader's language, whatever they tell of."""

from __future__ import annotations

from optimizer.errors import InputError, Phrase, Place


def test_what_an_error_tells_of_is_said_in_its_language() -> None:
    """A place, an error and a phrase inside a message are translated with it."""
    inner = InputError("plan.number_low", Place(file="m.csv", row=3, column="Цена"), column="Цена", limit="0")
    refused = InputError("scenarios.plan_refused", reason=inner)
    assert "m.csv, строка 3, столбец Цена: «Цена» должно быть не меньше 0." in refused.text("ru")
    assert "m.csv, row 3, column Цена: “Цена” must be 0 or more." in str(refused)
    twice = InputError("plan.name_twice", name="Год", first=Place(file="plan.yaml", line=5))
    assert "plan.yaml, строка файла 5" in twice.text("ru")
    unreadable = InputError("io.file_unreadable", name="m.csv", reason=Phrase("io.system_denied"))
    assert "нет прав доступа" in unreadable.text("ru") and "access is denied" in str(unreadable)
