"""`rerec report`."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import show
from data_engine.runtime.options import JsonOption

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def report(
    run: Annotated[
        Path, typer.Argument(help="A run directory of `rerec demo`, `train rft` or `train rporec`.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Write report.html into a run directory, from what is there.

    Example: rerec report runs/demo
    """
    from train.reports.journey_report import write_journey_report
    from train.reports.rounds_report import write_rounds_report
    from train.reports.run_report import write_run_report

    if (run / "rporec.json").is_file():
        found = write_rounds_report(run)
    elif (run / "log").is_dir():
        found = write_run_report(run)
    else:
        found = write_journey_report(run)
    show({"report": str(found)}, as_json)
