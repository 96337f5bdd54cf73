"""Downloads from a real server on loopback that breaks off, lies, forgets ranges and sends what is
no archive.
"""

import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from data_engine.errors import DataError
from data_engine.importers.fetch import KNOWN, DataSet, fetch


def archive(**files):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        for name, text in files.items():
            packed.writestr(name.replace("__", "/").replace("_up", ".."), text)
    return body.getvalue()


WHOLE = archive(**{"tiny__ratings.csv": "userId,movieId\n" * 20_000, "tiny__README": "terms"})


class Files(BaseHTTPRequestHandler):
    """Serves `bodies`; `breaks` answers stop halfway; `asked` records the range headers."""

    bodies: dict[str, bytes] = {}
    breaks, ranges, asked = 0, True, []

    def do_GET(self):
        body = self.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.asked.append((self.path, self.headers.get("range")))
        start = int(self.headers["range"][6:-1]) if self.headers.get("range") and self.ranges else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(len(body) - start))
        self.end_headers()
        cut = type(self).breaks > 0 and self.path.endswith(".zip")
        type(self).breaks -= cut
        self.wfile.write(body[start : start + (len(body) - start) // 2] if cut else body[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """serve(name, body, md5=…, breaks=…) → the table of known data sets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def add(body, md5=None, breaks=0, ranges=True):
        Files.bodies = {
            "/tiny.zip": body,
            "/tiny.zip.md5": f"{md5 or hashlib.md5(body).hexdigest()}  tiny.zip\n".encode(),
        }
        Files.breaks, Files.ranges, Files.asked = breaks, ranges, []
        return {
            "tiny": DataSet(
                url=f"http://127.0.0.1:{server.server_port}/tiny.zip", terms="none", command="x"
            )
        }

    yield add
    server.shutdown()


def test_a_data_set_is_unpacked_once(tmp_path, serve):
    known, heard = serve(WHOLE), []
    path = fetch("tiny", tmp_path, known=known, progress=lambda *facts: heard.append(facts))
    assert (
        path == tmp_path / "tiny"
        and (path / "README").read_text() == "terms"
        and heard[-1] == (len(WHOLE), len(WHOLE))
    )
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]
    Files.asked = []
    assert fetch("tiny", tmp_path, known=known) == path and Files.asked == []


def test_a_broken_download_goes_on_where_it_was(tmp_path, serve):
    fetch("tiny", tmp_path, known=serve(WHOLE, breaks=2))
    ranges = [r for path, r in Files.asked if path.endswith(".zip")]
    assert ranges[0] is None and [r is None for r in ranges[1:]] == [False, False]
    assert (tmp_path / "tiny/ratings.csv").stat().st_size == 15 * 20_000


def test_after_too_many_breaks_the_next_run_goes_on(tmp_path, serve):
    known = serve(WHOLE, breaks=5)
    with pytest.raises(DataError, match="broke off 5 times .*run the same command again"):
        fetch("tiny", tmp_path, known=known)
    have = (tmp_path / "tiny.zip.part").stat().st_size
    assert 0 < have < len(WHOLE)
    Files.asked = []
    assert (
        fetch("tiny", tmp_path, known=known).is_dir()
        and ("/tiny.zip", f"bytes={have}-") in Files.asked
    )


def test_a_server_without_ranges_starts_anew(tmp_path, serve):
    known = serve(WHOLE, ranges=False)
    (tmp_path / "tiny.zip.part").write_bytes(b"old")
    assert (fetch("tiny", tmp_path, known=known) / "README").is_file()


@pytest.mark.parametrize(
    ("body", "md5", "words"),
    [
        (WHOLE, "0" * 32, "the download was thrown away"),
        (b"<html>no</html>", None, "is no zip archive"),
        (archive(_up__evil="x"), None, "would write outside its folder"),
    ],
)
def test_what_is_not_what_it_should_be_leaves_nothing(tmp_path, serve, body, md5, words):
    with pytest.raises(DataError, match=words):
        fetch("tiny", tmp_path, known=serve(body, md5))
    assert not (tmp_path / "tiny").exists() and not list(tmp_path.parent.glob("evil"))


def test_unknown_names_and_missing_files_are_named(tmp_path, serve):
    with pytest.raises(DataError, match="no data set 'ml-2m': choose from ml-100k, ml-1m"):
        fetch("ml-2m", tmp_path)
    known = serve(WHOLE)
    del Files.bodies["/tiny.zip"]
    with pytest.raises(DataError, match="HTTP 404"):
        fetch("tiny", tmp_path, known=known)
    assert all(data.url.startswith("https://") for data in KNOWN.values())
