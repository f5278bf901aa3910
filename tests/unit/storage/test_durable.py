"""A small file is whole and in its place or not there at all, also where a file system has no hard links."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vault.storage.durable import write_whole


@pytest.fixture(params=[None, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS], ids=["links", "vfat", "a network's", "a program's"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where no link can be made, the kernel says so in one of these ways, whether a file has the name or not."""
    if request.param is not None:

        def refuse(*_places: object, **_folders: object) -> None:
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(os, "link", refuse)
    return tmp_path


def test_a_new_file_is_whole_and_alone(folder: Path) -> None:
    write_whole(folder / "one", b"content", replace=False)
    assert (folder / "one").read_bytes() == b"content"
    assert [one.name for one in folder.iterdir()] == ["one"]


@pytest.mark.parametrize("there", [Path.touch, lambda path: path.symlink_to("nowhere")], ids=["a file", "a link to nothing"])
def test_what_has_the_name_stays(folder: Path, there: object) -> None:
    there(folder / "one")  # type: ignore[operator]
    before = os.lstat(folder / "one")
    with pytest.raises(FileExistsError):
        write_whole(folder / "one", b"content", replace=False)
    assert os.lstat(folder / "one").st_ino == before.st_ino
    assert [one.name for one in folder.iterdir()] == ["one"]
