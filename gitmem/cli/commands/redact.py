"""`gitmem redact`: what redaction finds, whether its rules hold, and what a placeholder stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Group
from gitmem.cli.context import Context
from gitmem.cli.output import Styled

if TYPE_CHECKING:
    from gitmem.cli.placeholder_text import Explanation
    from gitmem.cli.redacting import Scanned
    from gitmem.model.settings import Level


@click.group(
    "redact",
    cls=Group,
    examples=["gitmem redact scan src", "gitmem redact explain gm:aws", "gitmem redact test"],
)
def command() -> None:
    """What redaction finds, whether its rules hold, and what a placeholder stands for.

    None of these commands prints a secret or a part of one.
    """


@command.command(
    "scan",
    examples=[
        "gitmem redact scan session.jsonl",
        "gitmem redact scan --level public --mask .",
        "git diff --cached | gitmem redact scan -",
    ],
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True)
@click.option("--level", type=click.Choice(["public", "team", "private"]), help="As sessions of this level.")
@click.option("--mask", "masked", is_flag=True, help="Show personal data as h***@example.com; secrets never.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def _scan(context: Context, paths: tuple[str, ...], level: Level | None, masked: bool, as_json: bool) -> None:
    """Say where in files and folders there is something that would be redacted; change nothing.

    PATH is a file, a folder or `-` for standard input. Binary files are counted and passed over, links are
    not followed. Ends with 1 if something was found or could not be read, with 0 if all is clean.
    """
    from gitmem.cli.redacting import rules_of, scan

    scanned = scan(context, paths, rules_of(context, level))
    if as_json:
        context.output.json(_as_json(scanned, masked))
    else:
        _say(context, scanned, masked)
    if scanned.total or scanned.unread:
        click.get_current_context().exit(1)


@command.command("test", examples=["gitmem redact test", "gitmem redact test --stdin < notes.txt"])
@click.option("--stdin", "from_stdin", is_flag=True, help="Show what the text on standard input becomes.")
@click.option("--level", type=click.Choice(["public", "team", "private"]), help="As sessions of this level.")
@click.option("--json", "as_json", is_flag=True, help="Print the trials as JSON.")
@click.pass_obj
def _test(context: Context, from_stdin: bool, level: Level | None, as_json: bool) -> None:
    """Try every rule, your own on their samples; or show what a text becomes.

    In a repository, placeholders of secrets are as in its memory. Ends with 1 if a rule fails.
    """
    from gitmem.cli.redacting import redactor_at, rules_of, try_rules

    if from_stdin:
        redactor = redactor_at(context, rules_of(context, level))
        for piece in redactor.stream(iter(lambda: context.stdin.read(1 << 18), b"")):
            context.output.raw(piece)
        return
    trials = try_rules(context)
    failed = [trial for trial in trials if trial.why]
    if as_json:
        context.output.json({"rules": len(trials), "failed": [trial._asdict() for trial in failed]})
    else:
        for trial in failed:
            context.output.say(Styled("failed", "bad"), f" {trial.name}: {trial.why}")
        context.output.say(f"{len(trials) - len(failed)} of {len(trials)} rules hold")
    if failed:
        click.get_current_context().exit(1)


@command.command(
    "explain",
    examples=[
        "gitmem redact explain gm:aws-key",
        "gitmem redact explain '[gm:github-token:k3v5q2m7xw4nbtza]'",
        "pass show github | gitmem redact explain --value-stdin '[gm:github-token:k3v5q2m7xw4nbtza]'",
    ],
)
@click.argument("what", metavar="[RULE|KIND|PLACEHOLDER]", required=False)
@click.option("--value-stdin", is_flag=True, help="Say whether it stands for the value on standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def _explain(context: Context, what: str | None, value_stdin: bool, as_json: bool) -> None:
    """Say what a placeholder, a kind of placeholder or a rule is about; without one, list the kinds.

    With --value-stdin, say whether a placeholder of this repository stands for a value; ends with 1 if not.
    A value is never taken from the command line, where other users of the machine could see it.
    """
    from gitmem.cli.placeholder_text import compare, explain
    from gitmem.redaction.placeholders import KINDS

    if what is None:
        if value_stdin:
            raise click.UsageError("--value-stdin needs a placeholder to compare with")
        if as_json:
            context.output.json({"kinds": sorted(KINDS)})
        else:
            context.output.say("\n".join(sorted(KINDS)))
        return
    if value_stdin:
        value = context.stdin.read(1 << 20).removesuffix(b"\n").removesuffix(b"\r")
        is_same = compare(context, what, value)
        if as_json:
            context.output.json({"same": is_same})
        else:
            context.output.say("it stands for this value" if is_same else "it stands for another value")
        click.get_current_context().exit(0 if is_same else 1)
    explained = explain(context, what)
    if as_json:
        context.output.json({"kinds": [_explained(each) for each in explained]})
        return
    for each in explained:
        context.output.say(Styled(each.kind, "name"), f": {each.meaning}")
        names = ", ".join(dict.fromkeys(rule.name or rule.kind for rule in each.rules))
        if names:
            context.output.say(f"  rules: {names}")
    for advice in dict.fromkeys(each.advice for each in explained):
        context.output.say(advice)


def _say(context: Context, scanned: Scanned, masked: bool) -> None:
    output = context.output
    for path, sighting in scanned.found:
        rule = "" if sighting.rule == sighting.kind else f" ({sighting.rule})"
        shown = f" {sighting.mask}" if masked and sighting.mask else ""
        output.say(Styled(f"{path}:{sighting.line}", "dim"), " ", Styled(sighting.kind, "name"), rule + shown)
    if scanned.total > len(scanned.found):
        output.say(f"… and {scanned.total - len(scanned.found)} more")
    for path in scanned.unread:
        output.warn(Styled("not read:", "bad"), f" {path}")
    passed_over = f", {scanned.binary} binary passed over" if scanned.binary else ""
    output.note(f"{scanned.total} found in {scanned.files} files{passed_over}")


def _as_json(scanned: Scanned, masked: bool) -> dict[str, Any]:
    findings = []
    for path, sighting in scanned.found:
        finding = {"path": path, "line": sighting.line, "kind": sighting.kind, "group": sighting.group}
        finding["rule"] = sighting.rule
        if masked:
            finding["mask"] = sighting.mask
        findings.append(finding)
    return {
        "findings": findings,
        "left_off": scanned.total - len(scanned.found),
        "files": scanned.files,
        "binary": scanned.binary,
        "unread": scanned.unread,
        "counts": dict(sorted(scanned.counts.items())),
    }


def _explained(each: Explanation) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "meaning": each.meaning,
        "group": each.group,
        "rules": [rule.name or rule.kind for rule in each.rules],
        "advice": each.advice,
        "token": each.token or None,
    }


@command.command(
    "audit", examples=["gitmem redact audit", "gitmem redact audit --fix", "gitmem redact audit --erase"]
)
@click.option("--fix", is_flag=True, help="Redact again what has been shared with nobody yet.")
@click.option(
    "--erase", is_flag=True, help="Redact again what was shared, too, and erase what stood there for good."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def _audit(ctx: click.Context, fix: bool, erase: bool, as_json: bool) -> None:
    """Look through all that is remembered here with today's rules, and say what to do about what they find.

    Every level is looked through by its own rules; what was clean under the same ones is passed over. Ends
    with 1 if something is found, or cannot be read.
    """
    from gitmem.cli.redact_audit import audit

    ctx.exit(audit(ctx.obj, fix=fix or erase, erase=erase, as_json=as_json))


@command.command("rotate-key", examples=["gitmem redact rotate-key"])
@click.pass_obj
def _rotate_key(context: Context) -> None:
    """Give this repository's placeholders another key from now on.

    What is stored stays as it is. The same secret has another placeholder then, and what was captured before
    is still known to be the same text.
    """
    import secrets

    from gitmem.verbs.keys import rotate

    rotate(context.repository.state_dir, secrets.token_bytes)
    context.output.say("the same secrets have other placeholders from now on")
