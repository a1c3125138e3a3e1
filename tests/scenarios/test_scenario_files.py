"""Scenario files: extends, grids, and every fault with its file and line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.plan.source import Source
from scenarios.files import Layer, Scenario, find_files, load_scenarios, merged

Write = Callable[..., Path]

UP = "changes: [{table: markets, column: potential, multiply: 1.1}]"


def read(folder: Path, path: Path) -> Sequence[Scenario]:
    """The scenarios of one file, errors raised."""
    found = load_scenarios(folder, find_files(folder, [path]))
    for scenario in found:
        if scenario.error is not None:
            raise scenario.error
    return found


def test_parents_come_first_in_the_order_stated(small: Path, write: Write) -> None:
    """The layers of `extends` come in its order, each after its own parents, then the file itself."""
    write("root", UP)
    write("a", f"extends: root\n{UP}")
    write("b", UP)
    (scenario,) = read(small, write("c", f"extends: [b, a]\n{UP}"))
    assert [Path(layer.file).stem for layer in scenario.layers] == ["b", "root", "a", "c"]


def test_a_parent_of_several_parents_counts_once(small: Path, write: Write) -> None:
    """A diamond does not apply its root twice."""
    write("root", UP)
    write("a", f"extends: root\n{UP}")
    write("b", f"extends: root\n{UP}")
    (scenario,) = read(small, write("c", f"extends: [a, b]\n{UP}"))
    assert [Path(layer.file).stem for layer in scenario.layers] == ["root", "a", "b", "c"]


def test_a_grid_is_every_combination(small: Path, write: Write) -> None:
    """The first name of a grid changes slowest; the probability is shared out."""
    text = (
        "probability: 0.6\ngrid: {demand: [0.9, 1.1], hours: [1, 2, 3]}\nchanges:\n"
        "  - {table: markets, column: potential, multiply: $demand}\n"
        "  - {table: sellers, column: capacity, multiply: $hours}\n"
    )
    found = read(small, write("grid", text))
    assert [scenario.name for scenario in found][:2] == [
        "grid [demand=0.9, hours=1]",
        "grid [demand=0.9, hours=2]",
    ]
    assert len(found) == 6
    assert found[0].probability == pytest.approx(0.1)
    assert len({scenario.digest for scenario in found}) == 6
    assert [found[-1], *found[1:3], found[0]] == [list(found)[at] for at in (5, 1, 2, 0)]
    with pytest.raises(IndexError):
        found[6]


layers = st.builds(
    lambda name: Layer(name, (), Source(name), name), st.sampled_from(["a", "b", "c", "d", "e"])
)


@given(*[st.lists(layers, max_size=6)] * 3)
def test_merging_is_associative(first: list[Layer], second: list[Layer], third: list[Layer]) -> None:
    """Whoever merges first, the layers and their order are the same."""
    assert merged(merged(first, second), third) == merged(first, merged(second, third))


@given(st.lists(layers, max_size=8))
def test_merging_twice_changes_nothing(found: list[Layer]) -> None:
    """A scenario merged with itself is itself."""
    assert merged(merged(found), merged(found)) == merged(found)


FAULTS = [
    ("nme: x\n", "scenarios/x.yaml, line 2: there is no entry “nme”. Nearest: name"),
    ("probability: 2\n", "x.yaml, line 2, value “2”: “probability” must be 1 or less."),
    ("category: markets\n", "“category” must be one of"),
    ("changes: 5\n", "“changes” must be a list"),
    (
        "changes:\n  - {tabel: markets, column: price, set: 1}\n",
        "line 3: there is no entry “tabel”. Nearest: table",
    ),
    (
        "changes:\n  - {table: markets, colum: price, set: 1}\n",
        "line 3: there is no entry “changes[1].colum”",
    ),
    (
        "changes:\n  - {table: markets, column: price}\n",
        "a change of a table does exactly one thing, but here is: -",
    ),
    ("changes:\n  - {table: markets, column: price, set: 1, add: 2}\n", "here is: set, add"),
    (
        "changes:\n  - {table: markets, column: price, multiply: abc}\n",
        "line 3, value “abc”: “abc” is not a number",
    ),
    ("changes:\n  - {order: 1}\n", "line 3: this change says nothing"),
    ("extends: nothing\n", "line 2, value “nothing”: there is no scenario “nothing” beside this file"),
    ("extends: x\n", "line 2, value “x”: the scenarios extend each other in a circle: scenarios/x.yaml -> "),
    ("extends: ../../plan\n", "the file “scenarios/../../plan.yaml” is outside the plan's folder"),
    ("extends: /etc/plan\n", "is outside the plan's folder"),
    ("grid: {a: []}\n", "“a” must have at least one entry"),
    ("grid: {a: [1, 1]}\n", "the grid “a” has the same value twice"),
    ("grid: {a: [1, 2]}\n", "no change uses $a"),
    ("changes:\n  - {table: markets, column: price, multiply: $a}\n", "line 3"),
    ("changes: [{table: markets, column: price, set: 1}\n", "the bracket [ opened in line 2 is not closed"),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_every_fault_names_its_line(small: Path, write: Write, text: str, expected: str) -> None:
    """A file that cannot be read says where and why, in every language."""
    with pytest.raises(InputError) as caught:
        read(small, write("x", text))
    assert expected in caught.value.text("en")
    assert caught.value.text("ru") and caught.value.text("zh")


def test_an_unknown_name_of_a_grid_is_named(small: Path, write: Write) -> None:
    """`$demnad` is a slip, and the names that the grid has are listed."""
    text = "grid: {demand: [1, 2]}\nchanges:\n  - {table: markets, column: potential, multiply: $demand}\n"
    text += "  - {table: markets, column: price, multiply: $demnad}\n"
    with pytest.raises(InputError, match=r"“\$demnad” is no name of this file's grid \(demand\)"):
        read(small, write("x", text))


def test_a_longer_circle_is_named(small: Path, write: Write) -> None:
    """Every file of a circle is named in its order."""
    write("b", "extends: c\n")
    write("c", "extends: a\n")
    with pytest.raises(
        InputError, match=r"scenarios/a\.yaml -> scenarios/b\.yaml -> scenarios/c\.yaml -> scenarios/a"
    ):
        read(small, write("a", "extends: b\n"))


def test_a_grid_cannot_be_extended(small: Path, write: Write) -> None:
    """A grid is many scenarios, so none of them can be a parent."""
    write("g", "grid: {a: [1, 2]}\nchanges:\n  - {table: markets, column: potential, multiply: $a}\n")
    with pytest.raises(InputError, match="is a grid of many scenarios"):
        read(small, write("x", "extends: g\n"))


def test_links_out_of_the_folder_are_refused(small: Path, write: Write, tmp_path: Path) -> None:
    """A symbolic link beside the plan does not lead out of its folder."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(f"name: outside\n{UP}\n")
    path = write("x", "extends: link\n")
    (path.parent / "link.yaml").symlink_to(outside)
    with pytest.raises(InputError, match="outside the plan's folder"):
        read(small, path)
    with pytest.raises(InputError, match="outside the plan's folder"):
        find_files(small, [path.parent / "link.yaml"])
    with pytest.raises(InputError, match="outside the plan's folder"):
        find_files(small, [outside])


def test_a_missing_path_is_named(small: Path) -> None:
    """A slip in the command line is no empty sweep."""
    with pytest.raises(InputError, match="there is no scenario file"):
        find_files(small, [small / "scenarois"])


def test_two_scenarios_of_one_name_are_refused(small: Path, write: Write) -> None:
    """Rows of a table could not be told apart."""
    write("a", "name: same\n")
    write("b", "name: same\n")
    with pytest.raises(InputError, match="the scenario “same” exists already"):
        load_scenarios(small, find_files(small, [small / "scenarios"]))


def test_a_file_that_cannot_be_read_is_a_scenario_with_an_error(small: Path, write: Write) -> None:
    """One broken file does not stop the others."""
    write("good", UP)
    write("bad", "nme: x\n")
    bad, good = load_scenarios(small, find_files(small, [small / "scenarios"]))
    assert (bad.name, bad.error is None) == ("bad", False)
    assert (good.name, good.error) == ("good", None)
