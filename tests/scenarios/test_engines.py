"""Engines: a task that kills its worker, and clusters that give what one process gives."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from optimizer.errors import InputError
from scenarios.base import load_base
from scenarios.engine import engine_of
from scenarios.files import Scenario
from scenarios.sweep import sweep
from scenarios.tasks import run_all
from scenarios.worker import SweepSettings, Task, solve_base

Write = Callable[..., Path]
TABLES = ("league", "targets", "parts", "changes")


class Deadly(Scenario):
    """A scenario that kills the process that receives it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What the receiving process runs."""
        return os.kill, (_Own(), signal.SIGKILL)


class _Own:
    """The number of the process that receives it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.getpid, ()


@pytest.fixture
def grid(small: Path, write: Write) -> Path:
    """A grid of twelve scenarios."""
    return write(
        "grid",
        "grid: {demand: [0.8, 0.9, 1.0, 1.1], hours: [0.9, 1.0, 1.1]}\nchanges:\n"
        "  - {table: markets, column: potential, multiply: $demand}\n"
        "  - {table: sellers, column: capacity, multiply: $hours}\n",
    )


def assert_same(first: Path, second: Path) -> None:
    """Two sweeps gave the same tables to 1e-9."""
    for name in TABLES:
        frames = [pd.read_parquet(folder / f"{name}.parquet") for folder in (first, second)]
        pd.testing.assert_frame_equal(*frames, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_scenario_that_kills_its_worker_twice_is_a_row(small: Path) -> None:
    """The others are done, whichever worker they were with; the culprit is failed with its reason."""
    base = load_base(small)
    pack, _ = solve_base(base, SweepSettings(kept=False), "key")
    tasks = [Task(Scenario(str(number), "x.yaml"), str(number)) for number in range(4)]
    tasks.insert(1, Task(Deadly("deadly", "x.yaml"), "deadly"))
    with engine_of("process:2") as engine:
        engine.share(pack)
        found = {done.record.name: done.record for _, done in run_all(engine, tasks)}
    assert {name: record.status for name, record in found.items()} == {
        "0": "optimal", "1": "optimal", "2": "optimal", "3": "optimal", "deadly": "failed",
    }  # fmt: skip
    assert found["deadly"].reason == "the scenario killed the worker that solved it, twice."


def test_a_task_that_raises_is_a_row(small: Path) -> None:
    """An error of ours is a row too, with its name."""
    base = load_base(small)
    pack, _ = solve_base(base, SweepSettings(kept=False), "key")
    broken = dataclasses.replace(Scenario("odd", "x.yaml"), layers=cast(Any, (None,)))
    with engine_of("serial") as engine:
        engine.share(pack)
        ((_, done),) = run_all(engine, [Task(broken, "odd")])
    assert done.record.status == "failed" and done.record.reason.startswith("AttributeError")


@pytest.mark.parametrize("name", ["abacus", "serial:2", "process:0", "process:x"])
def test_unknown_engines_are_named(name: str) -> None:
    """An engine that is none says which there are."""
    with pytest.raises(InputError, match=f"there is no engine “{name}”"), engine_of(name):
        pass


@pytest.fixture
def dask() -> Iterator[str]:
    """The address of a Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address.replace("tcp", "dask")


@pytest.mark.slow
def test_dask_gives_the_same_tables(small: Path, grid: Path, tmp_path: Path, dask: str) -> None:
    """A cluster of two processes agrees with one thread in every table."""
    one = sweep(small, [grid], tmp_path / "serial")
    assert_same(one.folder, sweep(small, [grid], tmp_path / "dask", engine=dask).folder)


@pytest.mark.slow
def test_dask_survives_a_killed_worker(small: Path, grid: Path, tmp_path: Path, dask: str) -> None:
    """A worker of the cluster killed by signal 9 in the middle changes nothing."""
    from distributed import Client

    one = sweep(small, [grid], tmp_path / "serial")
    with Client(dask.replace("dask", "tcp")) as client:
        victims = list(client.run(os.getpid).values())

    def kill(done: int, total: int, seconds: float) -> None:
        if victims:
            os.kill(victims.pop(), signal.SIGKILL)
            victims.clear()

    two = sweep(small, [grid], tmp_path / "dask", engine=dask, progress=kill)
    assert_same(one.folder, two.folder)


@pytest.mark.slow
def test_ray_gives_the_same_tables(small: Path, grid: Path, tmp_path: Path) -> None:
    """A local Ray cluster agrees with one thread in every table, although a worker is killed in the middle."""
    ray = pytest.importorskip("ray")
    one = sweep(small, [grid], tmp_path / "serial")
    killed: list[int] = []

    def own() -> int:
        return os.getpid()

    def kill(done: int, total: int, seconds: float) -> None:
        if not killed:
            killed.append(ray.get(ray.remote(own).remote()))
            os.kill(killed[0], signal.SIGKILL)

    two = sweep(small, [grid], tmp_path / "ray", engine="ray://local", progress=kill)
    assert killed
    assert_same(one.folder, two.folder)
