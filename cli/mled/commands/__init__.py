"""The commands, one module for each noun.

A command is a line here and a function in its module, made a command by `mled.here.command`:

    @command("whoami")
    def whoami(here: Here) -> None:
        ...
"""

from typing import Final

COMMANDS: Final = {
    "login": "mled.commands.login:login",
    "logout": "mled.commands.login:logout",
    "whoami": "mled.commands.login:whoami",
    "submit": "mled.commands.submit:submit",
    "submit-test": "mled.commands.submit:submit_test",
    "submissions": "mled.commands.submit:submissions",
    "boards": "mled.commands.boards:boards",
    "withdraw": "mled.commands.boards:withdraw",
    "import": "mled.commands.sheets:import_sheet",
    "runs": "mled.commands.runs:runs",
    "show": "mled.commands.runs:show",
    "compare": "mled.commands.compare:compare",
    "download": "mled.commands.download:download",
    "artifacts": "mled.commands.artifacts:artifacts",
    "datasets": "mled.commands.datasets:datasets",
    "models": "mled.commands.models:models",
    "report": "mled.commands.reports:report",
    "verify": "mled.commands.verify:verify",
    "export": "mled.commands.transfers:export",
    "import-archive": "mled.commands.transfers:import_archive",
    "import-mlflow": "mled.commands.mlflow:import_mlflow",
    "transfers": "mled.commands.transfers:transfers",
    "open": "mled.commands.runs:open_run",
    "run": "mled.commands.run:run",
    "launch": "mled.commands.launch:launch",
    "jobs": "mled.commands.jobs:jobs",
    "sweep": "mled.commands.sweeps:sweep",
    "sweeps": "mled.commands.sweeps:sweeps",
    "secret": "mled.commands.secrets:secret",
    "workers": "mled.commands.workers:workers",
    "recreate": "mled.commands.recreate:recreate",
    "doctor": "mled.commands.doctor:doctor",
    "completion": "mled.commands.completion:completion",
}
"""Name -> module:attribute, in the order of `mled --help`."""
