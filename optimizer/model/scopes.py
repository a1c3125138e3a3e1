"""Where and each: which cells a rule speaks of, and which member each cell belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import BlockRows
from optimizer.model.cube import Cube
from optimizer.plan.names import nearest
from optimizer.plan.tables import ALL
from optimizer.plan.territories import label_codes

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Side = Literal["market", "seller", "period", "activity"]
SALES = "sales"
_NOTHING: Mapping[str, BlockRows] = {}


@dataclass(frozen=True)
class Members:
    """K members of `each`. A cell (pair, period) belongs to member pair_code * num_period_members +
    period_code; a code of -1 is outside the scope."""

    labels: tuple[tuple[str, ...], ...]
    pair_code: IntArray
    period_code: IntArray
    num_period_members: int
    market_code: IntArray | None
    """Pair-side member of each market (M,); None where a seller column takes part."""
    row_columns: tuple[str, ...] = ()
    """The columns of `each` that are no columns of time."""
    row_labels: tuple[tuple[str, ...], ...] = ((),)
    """Their labels by pair code."""
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """K."""
        return len(self.labels)

    def limits_sellers(self, pair_market: IntArray) -> bool:
        """Whether some sellers of the markets in scope are outside, so that figures of markets do not fit."""
        return self.market_code is None or bool(
            ((self.market_code[pair_market] >= 0) & (self.pair_code < 0)).any()
        )


_Coded = tuple[IntArray, list[tuple[str, ...]], IntArray | None]


class Scopes:
    """Resolves columns and scopes (column -> label or labels) to codes on the axes of one cube."""

    def __init__(self, cube: Cube, blocks: Mapping[str, BlockRows] = _NOTHING) -> None:
        self.cube = cube
        self._blocks = blocks
        self._sellers = cube.inputs.selling.sellers.labels
        self._markets = cube.markets.labels
        self._periods: dict[str, Sequence[str]] = {
            "period": cube.calendar.period,
            "quarter": cube.calendar.quarter,
            "year": cube.calendar.year,
        }
        self._coded: dict[str, _Coded] = {}

    def sides(self, column: str) -> tuple[Side, str]:
        """Which axis a column belongs to, and its bare name; raises `InputError` when it is unknown or
        ambiguous."""
        prefix, _, name = column.rpartition(".")
        if not prefix and name in self._periods:
            return "period", name
        if prefix == "seller" or (not prefix and name in self._sellers and name not in self._markets):
            if name in self._sellers:
                return "seller", name
        elif prefix in ("", "market") and name in self._markets:
            if not prefix and name in self._sellers:
                self._must_agree(name)
            return "market", name
        if any(column in block.labels for block in self._blocks.values()):
            return "activity", column
        known = [*self._markets, *self._sellers, *self._periods]
        known += [name for block in self._blocks.values() for name in block.labels]
        raise InputError(
            "model.column_unknown",
            column=column,
            nearest=nearest(column, known),
            known=", ".join(dict.fromkeys(known)),
        )

    def _must_agree(self, name: str) -> None:
        """A bare name is allowed while the market's and the seller's label agree on every pair."""
        cube = self.cube
        seller = np.array(self._sellers[name], dtype=object)[cube.groups.first][cube.pair_seat]
        market = np.array(self._markets[name], dtype=object)[cube.pair_market]
        differs = (seller != market) & (seller != ALL)
        if differs.any():
            pair = int(differs.argmax())
            raise InputError(
                "model.column_ambiguous",
                column=name,
                seller=cube.seat_names[cube.pair_seat[pair]],
                market=cube.markets.names[cube.pair_market[pair]],
                seller_label=seller[pair],
                market_label=market[pair],
            )

    def market_mask(self, where: Mapping[str, Any]) -> BoolArray:
        """Markets that meet the market columns of `where` (M,)."""
        mask = np.ones(len(self.cube.markets.names), dtype=np.bool_)
        for column, wanted in where.items():
            side, name = self.sides(column)
            if side == "market":
                mask &= self._match(column, self._markets[name], wanted)
        return mask

    def seat_mask(self, where: Mapping[str, Any]) -> BoolArray:
        """Seats that meet the seller columns of `where` (G,)."""
        mask = np.ones(len(self.cube.seat_names), dtype=np.bool_)
        for column, wanted in where.items():
            side, name = self.sides(column)
            if side == "seller":
                found = self._match(column, self._sellers[name], wanted)
                mask &= found[self.cube.groups.first]
        return mask

    def period_mask(self, where: Mapping[str, Any], run_out: bool = False) -> BoolArray:
        """Periods that meet the period columns of `where` (T,); run-out periods only where asked for."""
        mask = np.arange(self.cube.num_periods) < (
            self.cube.num_periods if run_out else self.cube.num_planned
        )
        for column, wanted in where.items():
            side, name = self.sides(column)
            if side == "period":
                mask &= self._match(column, self._periods[name], wanted)
        return mask

    def ahead(self, where: Mapping[str, Any]) -> dict[str, Any]:
        """The scope without the periods that are facts; the scope itself where all or none are."""
        cube = self.cube
        past, labels = cube.inputs.past, cube.calendar.period
        if not 0 < past < cube.num_periods:
            return dict(where)
        inside = np.flatnonzero(self.period_mask(where))
        return {**where, "period": [labels[at] for at in inside if at >= past]}

    def _match(self, column: str, labels: Sequence[str], wanted: Any) -> BoolArray:
        texts = {wanted} if isinstance(wanted, str) else set(wanted)
        missing = sorted(texts - set(labels))
        if missing:
            raise InputError(
                "model.label_unknown",
                column=column,
                label=missing[0],
                nearest=nearest(missing[0], sorted(set(labels))),
            )
        return np.fromiter((label in texts for label in labels), dtype=np.bool_, count=len(labels))

    def pair_mask(self, where: Mapping[str, Any]) -> BoolArray:
        """Pairs that meet the market and seller columns of `where` (P,)."""
        cube = self.cube
        return self.market_mask(where)[cube.pair_market] & self.seat_mask(where)[cube.pair_seat]

    def has_column(self, block: str, column: str) -> bool:
        """Whether rows of a block carry a column; columns of time belong to every block."""
        side, _ = self.sides(column)
        if side == "period":
            return True
        if block == SALES or self._blocks[block].pair is not None:
            return side != "activity"
        return column in self._blocks[block].labels

    def members(
        self,
        each: Sequence[str],
        where: Mapping[str, Any],
        blocks: Iterable[str] = (SALES,),
        run_out: bool = False,
    ) -> Members:
        """The members of `each` inside `where`: every label that the rows of `blocks` in scope have.

        Sales carry the columns of markets and sellers; a block that lacks a column is outside the scope, and
        run-out periods are outside every scope unless `run_out` asks for them.
        """
        sided = [self.sides(column) for column in each]
        row_columns = [position for position, (side, _) in enumerate(sided) if side != "period"]
        period_columns = [position for position, (side, _) in enumerate(sided) if side == "period"]
        names = tuple(each[position] for position in row_columns)
        pair_code, row_labels, market_code = self._sold(names, where, SALES in blocks)
        for block in blocks:
            if block != SALES and self._blocks[block].pair is None:
                row_labels = list(dict.fromkeys([*row_labels, *self._labels_in(block, names, where)]))
        periods = [self._periods[sided[index][1]] for index in period_columns]
        period_code, period_labels = _joint_codes(periods, self.period_mask(where, run_out))
        labels = []
        for row_label, period_label in product(row_labels, period_labels):
            label = dict(zip(row_columns, row_label, strict=True)) | dict(
                zip(period_columns, period_label, strict=True)
            )
            labels.append(tuple(label[index] for index in range(len(each))))
        return Members(
            tuple(labels),
            pair_code,
            period_code,
            len(period_labels),
            market_code,
            names,
            tuple(row_labels),
            dict(where),
        )

    def _sold(
        self, names: Sequence[str], where: Mapping[str, Any], wanted: bool
    ) -> tuple[IntArray, list[tuple[str, ...]], IntArray | None]:
        """Codes and labels of sales; nothing where they are not asked for or lack a column."""
        if wanted and all(self.has_column(SALES, column) for column in (*names, *where)):
            return self._pair_members([self.sides(column) for column in names], where)
        nothing = np.full(self.cube.num_pairs, -1, dtype=np.int64)
        return nothing, [] if names else [()], None

    def block_code(self, block: str, members: Members) -> IntArray:
        """Row code of each row of a block (rows,), to be combined with the period code; -1 is outside."""
        table = self._blocks[block]
        if table.pair is not None:
            return members.pair_code[table.pair]
        code = np.full(table.num_rows, -1, dtype=np.int64)
        position = {label: index for index, label in enumerate(members.row_labels)}
        inside = self._rows_in(block, members.row_columns, members.where)
        for row, label in zip(inside, self._labels_at(block, members.row_columns, inside), strict=True):
            code[row] = position.get(label, -1)
        return code

    def _labels_in(self, block: str, names: Sequence[str], where: Mapping[str, Any]) -> list[tuple[str, ...]]:
        return self._labels_at(block, names, self._rows_in(block, names, where))

    def _labels_at(self, block: str, names: Sequence[str], rows: IntArray) -> list[tuple[str, ...]]:
        if not len(rows):
            return []
        columns = [self._blocks[block].labels[name] for name in names]
        return [tuple(column[row] for column in columns) for row in rows]

    def _rows_in(self, block: str, names: Sequence[str], where: Mapping[str, Any]) -> IntArray:
        """Rows of a block inside `where`; none where it lacks a column."""
        if not all(self.has_column(block, column) for column in (*names, *where)):
            return np.zeros(0, dtype=np.int64)
        table = self._blocks[block]
        inside = np.ones(table.num_rows, dtype=np.bool_)
        for column, wanted in where.items():
            if self.sides(column)[0] != "period":
                texts = {wanted} if isinstance(wanted, str) else set(wanted)
                inside &= np.array([label in texts for label in table.labels[column]], dtype=np.bool_)
        return np.flatnonzero(inside)

    def _pair_members(
        self,
        columns: list[tuple[Side, str]],
        where: Mapping[str, Any],
    ) -> _Coded:
        """Code of each pair and labels of the codes; also the code of each market where these alone tell."""
        key = repr((columns, where))
        if key not in self._coded:
            self._coded[key] = self._code_pairs(columns, where)
        return self._coded[key]

    def _code_pairs(
        self,
        columns: list[tuple[Side, str]],
        where: Mapping[str, Any],
    ) -> _Coded:
        cube, markets, seats = self.cube, self.market_mask(where), self.seat_mask(where)
        in_scope = markets[cube.pair_market] & seats[cube.pair_seat]
        if all(side == "market" for side, _ in columns):
            code, labels = _joint_codes([self._markets[name] for _, name in columns], markets)
            return np.where(in_scope, code[cube.pair_market], -1), labels, code
        if all(side == "seller" for side, _ in columns):
            code, labels = _joint_codes([cube.seat_labels(name) for _, name in columns], seats)
            return np.where(in_scope, code[cube.pair_seat], -1), labels, None
        sequences = [
            np.array(self._markets[name] if side == "market" else cube.seat_labels(name), dtype=object)[
                cube.pair_market if side == "market" else cube.pair_seat
            ]
            for side, name in columns
        ]
        code, labels = _joint_codes([list(sequence) for sequence in sequences], in_scope)
        return code, labels, None


def _joint_codes(columns: Sequence[Sequence[str]], mask: BoolArray) -> tuple[IntArray, list[tuple[str, ...]]]:
    """Codes of the distinct label tuples inside `mask`, -1 outside; one member without columns."""
    if not columns:
        return np.where(mask, 0, -1), [()]
    tuples = list(zip(*columns, strict=True))
    inside = np.flatnonzero(mask)
    codes, _ = label_codes([repr(tuples[index]) for index in inside])
    labels = list(dict.fromkeys(tuples[index] for index in inside))
    found = np.full(len(mask), -1, dtype=np.int64)
    found[inside] = codes
    return found, labels
