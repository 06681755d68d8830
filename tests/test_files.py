"""Files are written whole or not at all."""

import os
import stat
import threading

import pytest

from scalargrad.files import write_whole


def test_a_new_file_has_the_data_and_the_usual_mode(tmp_path):
    path, usual = tmp_path / "a.bin", tmp_path / "usual"
    write_whole(path, b"\x00data")
    usual.touch()
    assert path.read_bytes() == b"\x00data"
    assert path.stat().st_mode == usual.stat().st_mode


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    path.chmod(0o640)
    write_whole(str(path), b"after")
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed(tmp_path):
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_bytes(b"before")
    link.symlink_to(path)
    write_whole(link, b"after")
    assert link.is_symlink()
    assert path.read_bytes() == b"after"


def test_a_chain_of_links_to_a_file_that_is_not_there_yet(tmp_path):
    path, middle, link = tmp_path / "folder" / "a", tmp_path / "middle", tmp_path / "link"
    path.parent.mkdir()
    middle.symlink_to(path)
    link.symlink_to("middle")
    write_whole(link, b"data")
    assert path.read_bytes() == b"data"
    assert link.is_symlink()
    assert middle.is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_and_a_device_stay_and_take_the_data(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"data")
    reader.join(10)
    assert read == [b"data"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    write_whole(link, b"data")
    assert stat.S_ISCHR(link.stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["null", "pipe"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_is_refused(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"


def test_the_longest_names_work(tmp_path):
    path = tmp_path / ("n" * 255)
    write_whole(path, b"data")
    assert os.listdir(tmp_path) == [path.name]


def test_a_relative_name_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("a", b"data")
    assert (tmp_path / "a").read_bytes() == b"data"


@pytest.mark.parametrize("function", ["replace", "chmod", "fsync"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("the disk is full"), SystemExit])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch, function, error):
    path = tmp_path / "a"
    path.write_bytes(b"before")

    def interrupted(*args, **options):
        raise error

    monkeypatch.setattr(os, function, interrupted)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a"]


def test_data_that_is_no_bytes_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        write_whole(tmp_path / "a", "text")  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_and_a_folder_in_place_of_the_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "a", b"data")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"data")
    assert os.listdir(tmp_path) == ["folder"]
