"""The text of hook files: gitmem's block in them, put in and taken out, and whose file it is.

Pure; gitmem.git.hook_files writes them. A block stands between two marks and tells by the first how it came
there, so that taking it out leaves what was there before, byte for byte, and what others wrote since.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

HOOKS: Final = ("pre-commit", "post-commit", "post-checkout", "post-merge", "post-rewrite", "pre-push")
STUB: Final = "gitmem-hook"

How = Literal["new", "added", "kept"]
"""A file of our own; a block in somebody's; a file of our own that calls somebody's, which is kept beside."""
Owner = Literal["lefthook", "overcommit"]
"""A manager of hooks that writes its files again, and would write over a block."""

_KEPT: Final = "before-gitmem"
_SHEBANG: Final = b"#!/bin/sh\n"
_END: Final = b"# <<< gitmem <<<\n"
_SAYS: Final[dict[How, bytes]] = {
    "new": b"in a file of its own",
    "added": b"added to what is here",
    "kept": b"before what was here",
}
_BLOCK: Final = re.compile(
    rb"^# >>> gitmem, (?P<how>"
    + b"|".join(_SAYS.values())
    + rb"); `gitmem disable git` takes it away >>>\n.*?^# <<< gitmem <<<\n",
    re.MULTILINE | re.DOTALL,
)
_KEPT_NAME: Final = re.compile(rb'exec "\$\{0%/\*\}/(?P<name>[a-z-]+\.before-gitmem[0-9]*)"')
_SHELLS: Final = frozenset({b"sh", b"ash", b"bash", b"dash", b"ksh", b"ksh93", b"mksh", b"zsh"})
_HARMLESS_OPTION: Final = re.compile(rb"-[abefhkmtuvxBCEHPT]+")
_READS_ITS_NAME: Final = re.compile(rb"basename|##\*/|argv\[0\]|PROGRAM_NAME|\$0:t")
_CALL: Final = rb"""[ ! -r "${0%/*}/gitmem-hook" ] || (set -- <hook> ${1+"$@"}; . "${0%/*}/gitmem-hook") <or>
"""
_CALL_APART: Final = (
    rb"""[ ! -x "${0%/*}/gitmem-hook" ] || GITMEM_HOOK_PID=$PPID "${0%/*}/gitmem-hook" <hook> ${1+"$@"} """
    rb"""</dev/null <quietly>
"""
)
# What follows in the hook reads the same standard input: git's lines, or whatever else ends with a line end.
_CALL_WITH_INPUT: Final = rb"""if [ -x "${0%/*}/gitmem-hook" ] && [ ! -t 0 ]; then
    gitmem_input=$(cat; echo .) || :
    gitmem_input=${gitmem_input%.}
    printf %s "$gitmem_input" 2>/dev/null |
        GITMEM_HOOK_PID=$PPID "${0%/*}/gitmem-hook" <hook> ${1+"$@"} <quietly>
    if [ -n "$gitmem_input" ]; then
        gitmem_input=${gitmem_input%"
"}
        exec <<gitmem_end
$gitmem_input
gitmem_end
    fi
    unset gitmem_input
fi
"""
# A push that must not be is all that the stub fails; a shell in trouble has another status than 1.
_FAIL: Final = rb"|| [ $? -ne 1 ] || exit 1"
_CALL_KEPT: Final = rb"""[ ! -x "${0%/*}/<kept>" ] || exec "${0%/*}/<kept>" ${1+"$@"}
"""


class Block(NamedTuple):
    """gitmem's block in a file; `kept` names the file that it calls, `rest` is the file without the block."""

    how: How
    kept: str | None
    rest: bytes


def new_file(hook: str) -> bytes:
    """Return the hook's file where there was none."""
    return _SHEBANG + _block(hook, "new")


def calling_file(hook: str, kept: str) -> bytes:
    """Return a file that leaves an event and then becomes the hook that was here, now beside it as `kept`."""
    return _SHEBANG + _block(hook, "kept", kept)


def find_block(content: bytes) -> Block | None:
    """Return gitmem's block in a hook's file, if there is one."""
    found = _BLOCK.search(content)
    if found is None:
        return None
    how = next(how for how, says in _SAYS.items() if says == found["how"])
    named = _KEPT_NAME.search(found[0])
    kept = named["name"].decode() if named and how == "kept" else None
    return Block(how, kept, content[: found.start()] + content[found.end() :])


def has_block(content: bytes) -> bool:
    """Tell whether gitmem's block is in a hook's file."""
    return _BLOCK.search(content) is not None


def kept_name(hook: str, n: int = 1) -> str:
    """Return the name of a hook that is kept, or another one where that is taken."""
    return f"{hook}.{_KEPT}{n if n > 1 else ''}"


def with_block(content: bytes, hook: str) -> bytes | None:
    """Return a hook's file with gitmem's block of today, in place of an older one; None if it takes none.

    A new block comes after the comments that a script begins with: they tell readers and linters about the
    whole of it, and nothing has been run there, so no `exec` and no `exit` either.
    """
    old = _BLOCK.search(content)
    if old is not None:
        block = find_block(content)
        assert block is not None
        now = _block(hook, block.how, block.kept)
        return content[: old.start()] + now + content[old.end() :]
    if not is_shell_script(content):
        return None
    at = 0
    while content.startswith(b"#", at):
        end = content.find(b"\n", at)
        if end < 0:
            return None  # It is all comments, and has no line end to put a block behind.
        at = end + 1
    return content[:at] + _block(hook, "added") + content[at:]


def without_block(content: bytes) -> bytes | None:
    """Return a hook's file as it is without gitmem's block; None if nothing is left that somebody else wrote.

    Of a file that calls another, and that somebody has written into since, the call stays.
    """
    block = find_block(content)
    if block is None:
        return content
    if block.how == "added":
        return block.rest
    if block.rest == _SHEBANG:
        return None
    if block.kept is None:
        return block.rest
    call = _CALL_KEPT.replace(b"<kept>", block.kept.encode())
    return _BLOCK.sub(lambda _: call, content)


def is_shell_script(content: bytes) -> bool:
    """Tell whether a script's first line names a shell that can run gitmem's block, with no odd options."""
    if not content.startswith(b"#!"):
        return False
    words = content[2:].partition(b"\n")[0].split(b" ")
    words = [word for word in words if word]
    if words and words[0].rpartition(b"/")[2] == b"env":
        words = words[2:] if words[1:2] == [b"-S"] else words[1:]
    elif words and words[0].rpartition(b"/")[2] == b"busybox":
        words = words[1:]
    if not words or words[0].rpartition(b"/")[2] not in _SHELLS:
        return False
    return all(_HARMLESS_OPTION.fullmatch(word) for word in words[1:])


def reads_its_name(content: bytes) -> bool:
    """Tell whether a script seems to look at the name that it is called by, so that no other will do."""
    return b"\0" not in content and _READS_ITS_NAME.search(content) is not None


def owner_of(content: bytes) -> Owner | None:
    """Return the manager of hooks that wrote a hook's file and will write it again."""
    if b"call_lefthook" in content:
        return "lefthook"
    if b"overcommit" in content:
        return "overcommit"
    return None


def _block(hook: str, how: How, kept: str | None = None) -> bytes:
    if hook in ("post-rewrite", "pre-push") and how != "new":
        call = _CALL_WITH_INPUT
    else:
        call = _CALL_APART if how == "added" else _CALL
    or_else = _FAIL if hook == "pre-push" else b"|| :"
    quietly = or_else if hook == "pre-push" else b">/dev/null 2>&1 || :"
    text = call.replace(b"<hook>", hook.encode()).replace(b"<or>", or_else).replace(b"<quietly>", quietly)
    if kept is not None:
        text += _CALL_KEPT.replace(b"<kept>", kept.encode())
    return b"# >>> gitmem, %b; `gitmem disable git` takes it away >>>\n%b%b" % (_SAYS[how], text, _END)
