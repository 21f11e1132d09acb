"""Measure how well gitmem finds what it should, beside others, and compare that with what was reviewed.

    python -m tests.recall [--write] [--quick] [SET…]

What `gitmem recall` quotes within a budget is measured too (budgets.md), and how often something is found where
there is nothing to find, which is printed alone. Our own set is always measured; GITMEM_CORPUS names a folder that
may hold two more (`locomo`, by turn, and `recall`, by session). A `bench/recall.py` beside that folder is run too,
and has to come to the same figures.
Ends with 1 if gitmem's nDCG@10 on any set fell by more than .005, or gitmem does not answer at all where it
once did; `--write` makes what was measured the reviewed figures (figures.md).
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.recall import absent, asking, baselines, budgets, figures
from tests.recall.asking import Searched
from tests.recall.baselines import Rank
from tests.recall.embedding import Embed, NoModel, opened
from tests.recall.figures import Row
from tests.recall.scoring import Score, mean_score
from tests.recall.sets import Group, RecallSet, every_set

_PRINTED = re.compile(r"n=(\d+).* nDCG@10=([\d.]+)")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, compare."""
    parser = argparse.ArgumentParser(prog="tests.recall")
    parser.add_argument("--write", action="store_true", help="make what was measured the reviewed figures")
    parser.add_argument("--quick", action="store_true", help="do not run bench/recall.py as well")
    parser.add_argument("sets", nargs="*", metavar="SET", help="only these: own, locomo, recall")
    asked = parser.parse_args(arguments)
    corpus = Path(os.environ["GITMEM_CORPUS"]).resolve() if os.environ.get("GITMEM_CORPUS") else None
    sets = [each for each in every_set(corpus) if not asked.sets or each.name in asked.sets]
    if corpus is None:
        print("GITMEM_CORPUS is not set: only our own set is measured", file=sys.stderr)
    measured: dict[Row, Score] = {}
    budgeted: budgets.Budgets = {}
    with tempfile.TemporaryDirectory(prefix="gitmem-recall-") as folder:
        embed = model(Path(folder) / "model")
        for each in sets:
            for row, score in measure(each, Path(folder), embed):
                print(f"… {row.measured_on}: {row.what}: {score.ndcg_10:.4f}", file=sys.stderr, flush=True)
                measured[row] = score
            print_absent(each, Path(folder), embed)
            budgeted |= budgets.measure(each, Path(folder), embed is not None)
        others = [each for each in sets if each.name != "own" and not asked.quick]
        disagreeing = [each for each in others if corpus and not _agrees(corpus, each, measured)]
    print(figures.table(measured))
    print(budgets.table(budgeted))
    reviewed = figures.read()
    for line in figures.differences(reviewed, measured):
        print(f"differs from what was reviewed: {line}")
    names = {row.measured_on for row in measured}
    missing = figures.unmeasured(reviewed, measured, names)
    for row in missing:
        print(f"not measured: {row.measured_on}: {row.what}")
    if asked.write:
        figures.write(measured)
        budgets.write(budgeted)
        return 1 if disagreeing else 0
    fallen = figures.fallen(reviewed, measured)
    for row in fallen:
        print(f"FELL by more than {figures.TOLERANCE}: {row.measured_on}: {row.what}")
    for line in budgets.fallen(budgeted):
        print(f"FELL by more than {budgets.TOLERANCE}: {line}")
        fallen.append(Row(line, "recall"))
    refused = [row for row in missing if row.what.startswith(figures.OURS) and embed is not None]
    return 1 if fallen or disagreeing or refused else 0


def model(folder: Path) -> Embed | None:
    """Return the model; say so if there is none."""
    try:
        return opened(folder)
    except NoModel as why:
        print(f"no model, so rows that need one are left out: {why}", file=sys.stderr)
        return None


def measure(measured: RecallSet, folder: Path, embed: Embed | None) -> Iterator[tuple[Row, Score]]:
    """Measure gitmem in every mode and all baselines, on the queries as they are and with typos."""
    started = time.perf_counter()
    prepared = asking.prepared(measured, folder)
    took_s = time.perf_counter() - started
    print(f"… {measured.name}: imported and indexed in {took_s:.1f} s", file=sys.stderr, flush=True)
    asked = (measured, measured.with_typos())
    for each in asked:
        for mode in asking.MODES:
            if embed is None and mode != "lexical":
                continue
            try:
                score = _ask(each, prepared, mode)
            except asking.Refused as why:
                print(f"gitmem did not answer {mode}: {why}", file=sys.stderr)
            else:
                yield Row(each.name, f"{figures.OURS}{mode}"), score
    for what, rank in _baselines(measured, prepared, embed):
        for each in asked:
            ranked = [rank[nth](query.text) for nth, part in enumerate(each.parts) for query in part.queries]
            yield Row(each.name, what), mean_score(ranked, each.golds)


def print_absent(measured: RecallSet, folder: Path, embed: Embed | None) -> None:
    """Print for how much of what a set does not have something is found, and said to be an answer."""
    for mode in asking.MODES if embed is not None else ("lexical",):
        for what, share in absent.measure(measured, asking.prepared(measured, folder), mode).items():
            told = f"{share.found:.3f} find something, {share.answered:.3f} an answer"
            print(f"{measured.name}, {mode}: of {share.n} {what} about nothing there {told}", flush=True)


def _ask(measured: RecallSet, prepared: Sequence[Searched], mode: str) -> Score:
    ranked: list[list[str]] = []
    for searched, part in zip(prepared, measured.parts, strict=True):
        ranked += asking.search(searched, [query.text for query in part.queries], measured.group, mode)
    return mean_score(ranked, measured.golds)


def _baselines(
    measured: RecallSet, prepared: Sequence[Searched], embed: Embed | None
) -> Iterator[tuple[str, list[Rank]]]:
    """Yield each baseline's name and what answers for it, one for each part."""
    turns = [asking.read_turns(each.repository) for each in prepared]
    group: Group = measured.group
    yield "words counted, newest first", [baselines.ripgrep(each, group) for each in turns]
    plain = [baselines.fts5(each, group, drops_stop_words=False) for each in turns]
    yield "FTS5, porter", plain
    yield (
        "FTS5, porter, no stop words",
        [baselines.fts5(each, group, drops_stop_words=True) for each in turns],
    )
    ours = [baselines.tantivy_defaults(each, group) for each in turns]
    yield "Tantivy's defaults", ours
    if embed is None:
        return
    meant = [baselines.cosine(each, group, embed) for each in turns]
    yield "the model alone", meant
    for what, by_words in (("FTS5", plain), ("Tantivy", ours)):
        fused = [baselines.reciprocal_ranks(*both) for both in zip(by_words, meant, strict=True)]
        yield f"RRF k=60 of {what} and the model", fused


def _agrees(corpus: Path, measured: RecallSet, found: dict[Row, Score]) -> bool:
    """Run the script that measures from outside, if there is one; tell whether it comes to what we did."""
    script = corpus.parent / "bench" / "recall.py"
    if not script.exists():
        return True
    environ = {**asking.surroundings(), "GITMEM": shlex.join(asking.command())}
    agreed = True
    for mode in asking.MODES:
        ours = found.get(Row(measured.name, f"{figures.OURS}{mode}"))
        if ours is None:
            continue
        # Embedding takes most of the time, and searching by words needs none of it.
        without = {"GITMEM_MODEL_DIR": os.devnull} if mode == "lexical" else {}
        args = [str(corpus / measured.name), "--by", measured.group, "--mode", mode]
        done = subprocess.run(
            [sys.executable, script, *args],
            env={**environ, **without},
            text=True,
            capture_output=True,
            check=False,
        )
        print(f"{script.name}: {done.stdout.strip() or done.stderr.strip()}", flush=True)
        printed = _PRINTED.search(done.stdout)
        if printed is None or abs(float(printed[2]) - ours.ndcg_10) > 0.001:
            print(f"DISAGREES with ours: nDCG@10={ours.ndcg_10:.4f}")
            agreed = False
    return agreed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
