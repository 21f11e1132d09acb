"""Where the user's own folders are, as the environment and the settings have it."""

from __future__ import annotations

from pathlib import Path

from gitmem.cli.context import Context
from gitmem.model.errors.repositories import NotARepository
from gitmem.sidecar.folders import data_folder, models_folder


def home_of(context: Context) -> Path:
    """Return the user's home directory, as the environment has it."""
    return Path(context.environ.get("HOME") or Path.home())


def model_dir_of(context: Context) -> Path:
    """Return where embedding models are: what the settings say, else a folder of the user's cache.

    Without a repository at hand, GITMEM_MODEL_DIR is all that can say it.
    """
    try:
        chosen = context.settings.model_dir
    except NotARepository:
        from gitmem.git.settings import without_repository

        chosen = without_repository(context.environ).model_dir
    return chosen or models_folder(context.environ)


def user_data_dir(context: Context) -> Path:
    """Return the user's own folder for gitmem's data (XDG Base Directory Specification)."""
    return data_folder({**context.environ, "HOME": str(home_of(context))})
