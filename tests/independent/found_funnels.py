"""Funnels that random search found, each of which once was another plan when it came true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Found:
    """A plan over half a year or four quarters, as the text of its file and of its tables."""

    plan: str
    tables: dict[str, str]

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder with the files, as long as it is needed."""
        names = ", ".join(f"{name}: {name}.csv" for name in self.tables)
        text = f"name: Funnel\n{self.plan}\ntables: {{{names}}}\n"
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "plan.yaml").write_text(text, encoding="utf-8")
            for table, rows in self.tables.items():
                (folder / f"{table}.csv").write_text(rows, encoding="utf-8")
            yield folder


SEASON = (0.06, 0.04, 0.09, 0.08, 0.08, 0.1, 0.07, 0.07, 0.09, 0.08, 0.1, 0.14)
QUARTERS = "calendar: {start: 2027-01-01, periods: 4, every: quarter}"
MONTHS = "calendar: {start: 2027-01-01, periods: 6, every: month}"

FUNNELS = {
    # Opportunities of the first quarter with a low conversion were undone for a rule about conversion.
    "decided": Found(
        f"{QUARTERS}\ntargets:\n- {{metric: conversion, at_least: 0.5, must: true}}\n"
        "- {metric: new_customers, at_least: 5}\n- {metric: revenue, at_least: 2000}",
        {
            "markets": "sku,customer_type,price,margin_rate,potential,organic\n"
            "m0,new,5,0.5,500,25\nm1,existing,5,0.5,60,40\n",
            "sellers": "seller,capacity,capacity_unit,capacity_per\ns0,40,hours,period\ns1,150,hours,period\n",
            "territories": "seller,sku,hours_per_unit,win_factor\ns0,*,0,1.25\ns1,*,1,0.5\n",
            "stages": "sku,stage,conversion,days,hours\n*,lead,0.4,40,3\n*,quote,0.4,0,1\n"
            "m0,lead,0.8,40,0\nm0,quote,,0,1\n",
        },
    ),
    # Deals of the start that the plan had given up for want of hours came to life: hours before them were past.
    "given up": Found(
        f"{MONTHS}\ntargets: []",
        {
            "markets": "sku,customer_type,price,margin_rate,potential,units_per_deal,organic,waiting_kept\n"
            "m0,new,40,0.5,60,2,25,0.5\nm1,existing,40,0.5,200,1,10,0\nm2,new,5,0.5,500,2,40,0\n",
            "sellers": "seller,capacity,capacity_unit,capacity_per,from,ramp\n"
            "s0,150,hours,period,2027-02-01,none\n",
            "territories": "seller,sku,hours_per_unit,win_factor\ns0,*,0,0.5\n",
            "marketing": "channel,max_spend\nc0,20\n",
            "yields": "channel,sku,opportunities,conversion\nc0,*,0.5,0.3\n",
            "stages": "sku,stage,conversion,days,hours\n*,lead,,100,0\n*,quote,,0,0\n"
            "m0,lead,0.8,10,0\nm0,quote,0.8,100,1\n",
        },
    ),
    # Leads for two markets went to the other one, in place of organic ones that had come as planned.
    "shared leads": Found(
        f"{MONTHS}\nrun_out: 0\ntargets:\n- {{metric: revenue, at_least: 2000}}\n"
        "- {metric: won, at_least: 3, priority: 2}\n- {metric: roas, at_least: 2, must: true}",
        {
            "profiles": "profile,period_or_age,value\nlater,0,0.25\nlater,2,0.75\n"
            + "".join(f"season,{at + 1},{share}\n" for at, share in enumerate(SEASON)),
            "markets": "sku,customer_type,price,margin_rate,potential,units_per_deal,organic\n"
            "m0,new,10,0.5,60,1,25\nm1,existing,10,0.2,20,2,\n",
            "marketing": "channel,max_spend,carryover_rate,lag\nc0,60,0.3,later\n",
            "yields": "channel,sku,opportunities,conversion\n*,*,1,0.3\n",
        },
    ),
    # The only channel was a label of all opportunities: organic ones looked like a jump in its leads.
    "one channel": Found(
        f"{QUARTERS}\ntargets: [{{metric: new_customers, at_least: 5}}]",
        {
            "markets": "sku,customer_type,price,margin_rate,potential,units_per_deal,organic\n"
            "m0,new,10,0.2,500,2,25\nm1,existing,10,0.2,60,2,10\nm2,existing,40,0.2,20,2,40\n",
            "sellers": "seller,capacity,capacity_unit,capacity_per,commission_rate\n"
            "s0,150,units,period,0.1\ns1,,,,0.1\ns2,10,units,period,0.1\n",
            "territories": "seller,sku,hours_per_unit,win_factor\ns0,*,0,0.5\ns1,*,2,\ns2,*,2,1.25\n",
            "marketing": "channel,max_spend,carryover_rate\nc0,20,0.5\n",
            "yields": "channel,sku,opportunities,conversion\n*,m0,0.5,\n*,m1,0.5,0.3\n",
            "stages": "sku,stage,conversion,days,hours\n*,lead,0.4,100,1\n*,quote,0.4,40,3\n",
            "pipeline": "sku,amount,stage\nm0,400,quote\n",
        },
    ),
    # All that came in m0 was taken for organic, of which the plan had 8 %, at a better conversion.
    "leads as organic": Found(
        f"{MONTHS}\ntargets: [{{metric: revenue, at_least: 200}}, {{metric: new_customers, at_least: 50}}]",
        {
            "markets": "sku,customer_type,price,margin_rate,potential,units_per_deal,organic\n"
            "m0,new,5,0.2,500,1,25\nm1,existing,10,0.2,500,1,40\n",
            "sellers": "seller,capacity,capacity_unit,capacity_per,commission_rate\n"
            "s0,10,units,period,0.1\ns1,,,,0\ns2,40,units,period,0.1\n",
            "territories": "seller,sku,hours_per_unit,win_factor\ns0,*,0,\ns1,*,0,0.5\ns2,*,1,0.5\n",
            "marketing": "channel,max_spend,carryover_rate\nc0,60,0.3\nc1,60,0.3\n",
            "yields": "channel,sku,opportunities,conversion\n*,m1,0.2,0.3\nc1,m0,1,0.3\n",
            "stages": "sku,stage,conversion,days,hours\n*,lead,,0,3\n*,quote,0.8,0,0\n"
            "m0,lead,0.4,100,3\nm0,quote,,0,1\n",
        },
    ),
}

REST_GAINS = {
    # Somebody without hours had prepared what the plan of the rest would have another sign.
    "prepared": Found(
        f"{MONTHS}\nrun_out: 3\nobjective: [{{maximize: revenue}}]\n"
        "targets: [{metric: revenue, at_least: 200}, {metric: new_customers, at_least: 50}]",
        {
            "markets": "sku,customer_type,price,margin_rate,potential,units_per_deal,organic\n"
            "m0,new,10,0.2,200,2,25\nm1,existing,10,0.5,60,2,40\n",
            "sellers": "seller,capacity,capacity_unit,capacity_per,from,ramp,commission_rate\n"
            "s0,10,hours,period,2027-02-01,none,0\ns1,,,period,,none,0.1\n",
            "territories": "seller,sku,hours_per_unit,win_factor\ns0,*,2,\ns1,*,0,0.5\n",
            "profiles": "profile,period_or_age,value\n"
            + "".join(f"season,{at + 1},{share}\n" for at, share in enumerate(SEASON)),
            "stages": "sku,stage,conversion,days,hours\n*,lead,0.4,100,3\n*,quote,0.8,45,0\n",
            "pipeline": "sku,amount\nm1,50\n",
        },
    ),
    # Leads of two sources idled for want of hours: facts tell how many were worked on, not which.
    "idle leads": Found(
        f"{MONTHS}\ntargets: []",
        {
            "markets": "sku,customer_type,price,margin_rate,potential,units_per_deal,organic\n"
            "m0,new,10,0.2,200,1,25\nm1,existing,5,0.5,500,2,\nm2,existing,10,0.5,500,2,10\n",
            "sellers": "seller,capacity,capacity_unit,capacity_per,ramp\ns0,10,hours,period,none\n",
            "territories": "seller,sku,hours_per_unit\ns0,*,0\n",
            "profiles": "profile,period_or_age,value\nlag_own,0,0.25\nlag_own,2,0.75\n"
            + "".join(f"season,{at + 1},{share}\n" for at, share in enumerate(SEASON)),
            "marketing": "channel,max_spend,carryover_rate,lag\nc0,60,0.5,lag_own\nc1,60,0.5,\n",
            "yields": "channel,sku,opportunities,conversion\n*,m2,0.5,0.3\n",
            "stages": "sku,stage,conversion,days,hours\n*,lead,0.8,10,0\n*,quote,0.4,0,1\n"
            "m0,lead,,0,0\nm0,quote,0.4,100,1\n",
            "pipeline": "sku,amount,stage,close,probability\nm0,400,quote,2027-01-20,0.5\nm1,400,quote,,0.5\n",
            "customers": "sku,customers,retention\n*,10,0.5\n",
        },
    ),
}
"""Funnels of which the plan of the rest alone would be better, because closed periods bind it no more."""
