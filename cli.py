"""The command line: the group and its reference. A command is a module of `scenarios/commands/`."""

from __future__ import annotations

import sys

import click

from scenarios.commands import COMMANDS
from scenarios.terminal import PLAIN_WIDTH


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="apportion", message="apportion %(version)s")
def main() -> None:
    """Optimise a sales plan: who sells what, where and when.

    Exit codes: 0 a plan; 2 usage; 3 an input cannot be used; 4 no plan exists; 5 a limit came first; 6 the
    solver failed.
    """
    for stream in (sys.stdout, sys.stderr):
        # A page in Cyrillic or Chinese on a console that cannot show it is printed with marks, not an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


for _command in COMMANDS:
    main.add_command(_command)


@main.command(hidden=True)
def reference() -> None:
    """Print docs/cli.md."""
    click.echo(reference_text(), nl=False)


def reference_text() -> str:
    """The command reference as Markdown: the help of every command, 100 columns wide."""
    parts = ["# Commands", "", "This page is printed by `apportion reference`; a test compares the two."]
    for name, command in [("", main), *sorted(main.commands.items())]:
        if command.hidden:
            continue
        title = f"apportion {name}".strip()
        context = click.Context(
            command, info_name=title, terminal_width=PLAIN_WIDTH, max_content_width=PLAIN_WIDTH
        )
        context.help_option_names = ["-h", "--help"]
        parts += ["", f"## {title}", "", "```text", command.get_help(context), "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
