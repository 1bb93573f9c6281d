"""The cache never changes a result and never fails a run."""

from __future__ import annotations

import os
import pickle
import pickletools
import threading
from typing import TYPE_CHECKING

import pytest
from lower_tools import lower

import stoplint
from stoplint.check import cache as cache_module
from stoplint.check import ir
from stoplint.check.cache import Cache
from stoplint.check.pack import PackError, pack, unpack
from stoplint.check.worker import Refusal, Task, attempt

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "x = client.messages.create(a, *b, c=1)  # stoplint: no\nif x.stop_reason == ...: print(f'{x!r:>9}', b'', 1.5, None)\n"


def task(text: str = TEXT, **changes: object) -> Task:
    return Task("dir/a.py", text, "a", is_package=False)._replace(**changes)


def module(asked: Task) -> ir.Module:
    found = attempt(asked)
    assert not isinstance(found, Refusal)
    return found[0]


def put(folder: Path, asked: Task) -> None:
    Cache(folder).put(asked, pack(module(asked)))


def entries(folder: Path) -> list[Path]:
    return sorted(each for each in (folder / "ir").rglob("*") if each.is_file())


# ------------------------------------------------------------------ packing


def test_packed_and_unpacked_it_is_the_same() -> None:
    for text in (TEXT, "", open(ir.__file__, encoding="utf-8").read()):  # noqa: PTH123, SIM115
        before = lower(text)
        assert unpack(pack(before), path=before.path, text=before.text) == before


def test_a_pack_names_the_irs_classes_and_nothing_else() -> None:
    names = {argument for op, argument, _ in pickletools.genops(pack(lower(TEXT))) if "UNICODE" in op.name}
    assert "stoplint.check.ir" in names
    assert not any("dataclass" in str(name) for name in names)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("evil",)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Evil()),
        pickle.dumps(lower),
        pickle.dumps(os.system),
        pickle.dumps(ir.dataclass),
        pickle.dumps([1, 2]),
        pickle.dumps(ir.Name("a")),
        b"",
        b"garbage",
        pack(lower(TEXT))[:-30],
        b"cstoplint.check.ir\nfield\n.",
        b"cbuiltins\neval\n(S'1'\ntR.",
    ],
)
def test_nothing_but_the_ir_is_unpacked(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PackError):
        unpack(data, path="a.py", text="")
    assert not (tmp_path / "evil").exists()


# ------------------------------------------------------------------ entries


def test_found_again(tmp_path: Path) -> None:
    put(tmp_path / "c", task())
    cache = Cache(tmp_path / "c")
    assert cache.get(task()) == module(task())
    assert (cache.hits, cache.misses) == (1, 0)


def test_found_again_under_another_path(tmp_path: Path) -> None:
    put(tmp_path, task())
    moved = task(path="elsewhere/b.py")
    assert Cache(tmp_path).get(moved) == module(moved)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": TEXT + "\n"},
        {"name": "b"},
        {"is_package": True},
        {"cells": ((1, 0), (1, 0))},
    ],
)
def test_not_found_for_anything_else(tmp_path: Path, changes: dict[str, object]) -> None:
    put(tmp_path, task())
    assert Cache(tmp_path).get(task(**changes)) is None


def test_parts_of_the_key_do_not_run_into_each_other(tmp_path: Path) -> None:
    put(tmp_path, task("b", name="a"))
    assert Cache(tmp_path).get(task("", name="ab")) is None


def test_another_version_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, task())
    monkeypatch.setattr(stoplint, "__version__", "99")
    assert Cache(tmp_path).get(task()) is None


def test_another_libcst_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, task())
    other = tmp_path / "other" / "libcst"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    (other / "_version.py").write_text("version = '1.99'\n")
    found = cache_module.importlib.util.spec_from_file_location("libcst", other / "__init__.py")
    monkeypatch.setattr(cache_module.importlib.util, "find_spec", lambda name: found)
    assert Cache(tmp_path).get(task()) is None


def test_another_lowering_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, task())
    here = tmp_path / "package"
    here.mkdir()
    (here / "lower.py").write_text("changed\n")
    monkeypatch.setattr(cache_module, "__file__", str(here / "cache.py"))
    assert Cache(tmp_path).get(task()) is None


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other", "folder"])
def test_a_damaged_entry_is_none(tmp_path: Path, damage: str) -> None:
    put(tmp_path, task())
    (entry,) = entries(tmp_path)
    data = bytearray(entry.read_bytes())
    if damage == "empty":
        data.clear()
    elif damage == "cut":
        del data[-5:]
    elif damage == "flipped":
        data[-5] ^= 1
    elif damage == "other":
        data[:] = b"something else entirely, of some length"
    entry.write_bytes(data)
    if damage == "folder":
        entry.unlink()
        entry.mkdir()
    assert Cache(tmp_path).get(task()) is None
    if damage != "folder":
        put(tmp_path, task())
        assert Cache(tmp_path).get(task()) == module(task())


def test_the_folder_tells_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / ".stoplint_cache"
    Cache(folder)
    assert not folder.exists()
    put(folder, task())
    assert (folder / ".gitignore").read_text() == "*\n"
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert len(entries(folder)) == 1


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    cache.put(task(), pack(module(task())))
    assert cache.get(task()) is None
    cache.close()
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    cache = Cache(tmp_path / "c")
    put(tmp_path / "c", task("other"))
    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    cache.put(task(), pack(module(task())))
    assert len(entries(tmp_path / "c")) == 1
    assert cache.get(task()) is None


def test_two_runs_at_once(tmp_path: Path) -> None:
    asked = [task(f"x = {number}\n") for number in range(20)]
    packed = [pack(module(each)) for each in asked]
    wrong: list[Task] = []

    def run() -> None:
        cache = Cache(tmp_path, max_bytes=2000)
        for _ in range(5):
            for each, data in zip(asked, packed, strict=True):
                cache.put(each, data)
                found = cache.get(each)
                if found is not None and found.text != each.text:
                    wrong.append(each)
            cache.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert not [each for each in entries(tmp_path) if each.name.startswith(".")]


def test_the_oldest_are_dropped_where_there_are_too_many(tmp_path: Path) -> None:
    asked = [task(f"x = {number}\n") for number in range(10)]
    for age, each in enumerate(asked):
        before = set(entries(tmp_path))
        put(tmp_path, each)
        (new,) = set(entries(tmp_path)) - before
        os.utime(new, (1e9 - age, 1e9 - age))
    sizes = [each.stat().st_size for each in entries(tmp_path)]
    bounded = Cache(tmp_path, max_bytes=sum(sizes) // 2)
    bounded.close()
    assert len(entries(tmp_path)) == 10
    bounded.put(task("y\n"), pack(module(task("y\n"))))
    bounded.close()
    assert sum(each.stat().st_size for each in entries(tmp_path)) <= sum(sizes) // 2
    kept = [Cache(tmp_path).get(each) is not None for each in asked]
    assert kept == sorted(kept, reverse=True)
    assert kept[0]
    assert not kept[-1]
    assert Cache(tmp_path).get(task("y\n")) is not None


def test_use_keeps_an_entry_young(tmp_path: Path) -> None:
    put(tmp_path, task())
    (entry,) = entries(tmp_path)
    os.utime(entry, (1e9, 1e9))
    Cache(tmp_path).get(task())
    assert entry.stat().st_mtime > 1e9
