"""The command line of this room: `rerec data …` and `rerec verify`.

importing    `data import`, one command per format
learning     `data embed`, `data enrich`
inspecting   `data stats`, `data doctor`, `verify`
output       `data card`, `data push`, `data fetch`, `data subset`, `data export-graph`
imports      how an import is run and told, whatever the format

Modules of other libraries are imported inside the commands, so that `--help` is quick.
"""

import typer

from data_engine.commands.importing import importing
from data_engine.commands.inspecting import doctor, stats, verify_examples
from data_engine.commands.learning import embed, enriching
from data_engine.commands.output import card, export_graph, fetch, push, subset

data = typer.Typer(
    no_args_is_help=True,
    help="Import catalogues, embed items, look at the graphs.",
    pretty_exceptions_enable=False,
)
data.add_typer(importing, name="import")
data.add_typer(enriching, name="enrich")
for command in (embed, stats, doctor, card, push, fetch, subset, export_graph):
    data.command()(command)

verify = typer.Typer(pretty_exceptions_enable=False)
verify.command()(verify_examples)
