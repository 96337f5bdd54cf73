"""`rerec train`: the group of the commands that train."""

import typer

from train.commands import compare, export, rechead, rft, rporec, sequential, sft

app = typer.Typer(
    no_args_is_help=True,
    help="Fine-tune a policy: sft, then rft; compare methods.",
    pretty_exceptions_enable=False,
)
for command in (sft, rft, compare, sequential, rechead, rporec, export):
    app.add_typer(command.app)
