"""A mapping for an export without one: columns by their names, stages by their labels, all reported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from optimizer.errors import InputError, Place
from optimizer.history.mapping import HorizonSpec, MappingSpec, SourceSpec, StageSpec
from optimizer.history.source import read_source
from optimizer.plan.names import folded

_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "id",
        "opportunityid",
        "orderid",
        "salesorderid",
        "dealid",
        "ordernumber",
        "номерсделки",
        "номерзаказа",
        "商机编号",
        "订单号",
        "订单编号",
    ),
    "opened": (
        "opened",
        "engagedate",
        "createddate",
        "createdate",
        "created",
        "opendate",
        "createdat",
        "датасоздания",
        "создана",
        "创建日期",
        "创建时间",
    ),
    "closed": (
        "closed",
        "closedate",
        "closeddate",
        "closingdate",
        "orderdate",
        "date",
        "датазакрытия",
        "датазаказа",
        "дата",
        "成交日期",
        "关闭日期",
        "订单日期",
        "日期",
    ),
    "seller": (
        "seller",
        "salesagent",
        "salesperson",
        "salesrep",
        "rep",
        "owner",
        "opportunityowner",
        "менеджер",
        "ответственный",
        "продавец",
        "销售",
        "销售员",
        "销售代表",
        "负责人",
    ),
    "account": (
        "account",
        "accountname",
        "customer",
        "customername",
        "client",
        "customerid",
        "клиент",
        "контрагент",
        "客户",
        "客户名称",
    ),
    "product": (
        "product",
        "productname",
        "item",
        "sku",
        "товар",
        "продукт",
        "номенклатура",
        "产品",
        "产品名称",
        "商品",
    ),
    "stage": (
        "stage",
        "dealstage",
        "stagename",
        "status",
        "opportunitystage",
        "этап",
        "стадия",
        "статус",
        "阶段",
        "销售阶段",
        "状态",
    ),
    "amount": (
        "amount",
        "closevalue",
        "value",
        "revenue",
        "totaldue",
        "total",
        "dealamount",
        "sales",
        "сумма",
        "выручка",
        "金额",
        "成交金额",
        "销售额",
    ),
    "quantity": ("quantity", "qty", "units", "orderqty", "количество", "колво", "数量"),
}
"""Names of columns as exports write them, folded; the first match in this order is taken."""

_GROUPS = (
    "region",
    "territory",
    "segment",
    "регион",
    "территория",
    "сегмент",
    "区域",
    "大区",
    "省份",
    "客户类型",
)
"""Columns that stand beside the product as a market dimension."""

_WON = (
    "won",
    "closedwon",
    "win",
    "выиграна",
    "выиграно",
    "успешнореализовано",
    "оплачен",
    "оплачена",
    "оплачено",
    "сделкауспешна",
    "успех",
    "赢单",
    "成交",
    "已成交",
    "completed",
    "shipped",
)
_LOST = (
    "lost",
    "closedlost",
    "cancelled",
    "canceled",
    "проиграна",
    "проиграно",
    "закрытоинереализовано",
    "сделкапровалена",
    "отказ",
    "отменена",
    "отменен",
    "отменён",
    "输单",
    "丢单",
    "已取消",
)


def guess_mapping(history: Path) -> MappingSpec:
    """The mapping that the names of the columns suggest.

    A date of closing and an amount are needed, and a product, account or region to make markets of; raises
    `InputError` that says which is missing and how to write a mapping. Stage labels that mean neither won nor
    lost are taken as open.
    """
    cells = read_source(history, SourceSpec())
    header = [name for name in cells.header if name]
    columns = _guessed_columns(header)
    roles = {role: written for written, role in columns.items()}
    for role in ("closed", "amount"):
        if role not in roles:
            raise InputError(
                "history.guess_role", Place(file=history.name), role=role, header=", ".join(header)
            )
    groups = {written: written for written in header if folded(written) in _GROUPS and written not in columns}
    by = (["product"] if "product" in roles else []) + list(groups) or (
        ["account"] if "account" in roles else []
    )
    if not by:
        raise InputError("history.guess_by", Place(file=history.name), header=", ".join(header))
    stages = None
    if "stage" in roles:
        stages = _guessed_stages(cells.labels(roles["stage"]), history)
    plan = HorizonSpec(language=_language(" ".join(header)))
    return MappingSpec(columns={**columns, **groups}, by=by, stages=stages, plan=plan)


def _language(text: str) -> Literal["en", "ru", "zh"]:
    """The language whose letters the names of the columns have."""
    if re.search("[а-яё]", text, re.IGNORECASE):
        return "ru"
    return "zh" if re.search("[\u4e00-\u9fff]", text) else "en"


def _guessed_columns(header: Sequence[str]) -> dict[str, str]:
    """Column -> role; the name that stands first among the known names of a role wins."""
    by_folded = {folded(name): name for name in reversed(header)}
    found: dict[str, str] = {}
    for role, names in _NAMES.items():
        written = next(
            (by_folded[name] for name in names if name in by_folded and by_folded[name] not in found), None
        )
        if written is not None:
            found[written] = role
    return found


def _guessed_stages(cells: Sequence[str], history: Path) -> StageSpec:
    labels = sorted({" ".join(label.split()) for label in cells} - {""})
    won = [label for label in labels if folded(label) in _WON]
    lost = [label for label in labels if folded(label) in _LOST]
    if not won:
        raise InputError("history.guess_won", Place(file=history.name), stages=", ".join(labels[:12]))
    return StageSpec(won=won, lost=lost, open=[label for label in labels if label not in won + lost])
