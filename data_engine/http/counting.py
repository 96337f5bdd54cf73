"""Where several processes of a server count, so that a scrape of one reads them all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory


@contextmanager
def metrics_folder(processes: int) -> Iterator[None]:
    """Several processes count in files of one folder, one counts in its memory.

    prometheus_client reads the folder from the environment when it is imported: call this before.
    """
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # another server's
    if processes == 1:
        yield
        return
    with TemporaryDirectory(prefix="rerec-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield
