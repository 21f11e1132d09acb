"""Saying what became of hooks: for `init`, `enable` and `disable`, in the same words."""

from __future__ import annotations

from gitmem.cli.context import Context
from gitmem.git.hooks import Hooks, snippet_for


def hooks_as_json(hooks: Hooks) -> dict[str, object]:
    """Return hooks as `--json` prints them."""
    return {
        "how": hooks.how,
        "folder": str(hooks.folder),
        "hooks": list(hooks.ours),
        "snippets": list(hooks.snippets),
        "left": [{"hook": hook, "why": why} for hook, why in hooks.left],
    }


def describe_hooks(context: Context, hooks: Hooks) -> None:
    """Say in a line where gitmem's hooks are, and in another what has to be added by hand."""
    parts = []
    place = f"in {hooks.folder}" if hooks.how != "config" else "in the repository's configuration"
    if hooks.ours:
        parts.append(f"{len(hooks.ours)} {place}")
    if hooks.snippets:
        parts.append(f"{len(hooks.snippets)} by lines in your own hooks")
    context.output.say(f"git's hooks tell gitmem: {', '.join(parts) or 'none'}")
    for hook, why in hooks.left:
        reason = why if " " in why else f"{why} writes it"
        context.output.warn(f"{hook} was left as it is: {reason}; this line in it does the same:")
        context.output.warn(f"    {snippet_for(hook)}")
