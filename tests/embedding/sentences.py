"""Texts to embed, as people and agents write them: short and long, in prose and in code, in several scripts."""

from __future__ import annotations

LONG = (
    "We looked at the retry loop again this morning. It waits for half a second, doubles the wait each time, and "
    "gives up after six tries, which sounds sensible until the server answers with a redirect to itself: then "
    "every try costs six redirects, and the whole thing takes four minutes before anybody sees an error. I would "
    "rather count redirects and tries together, cap both at ten, and say in the message how often it was tried "
    "and what the last answer was. The test for it should use a real server on a free port, not a mock, because "
    "the last three bugs in this file were about what the library does with a connection that is closed early. "
)

SENTENCES = (
    "Why does the parser drop the last line of the manifest?",
    "The tide table is read twice when the cache is cold.",
    "Rename read_tide to read_tide_table and keep the old name for one release.",
    "I think the deadlock comes from taking the two locks in a different order.",
    "Run the tests again with the seed that failed.",
    "It works on my machine, but the build server has an older compiler.",
    "Please do not commit the generated files.",
    "def area(width: float, height: float) -> float:\n    return width * height",
    "SELECT name, count(*) FROM ships GROUP BY name HAVING count(*) > 3",
    "Traceback (most recent call last): KeyError: 'anchor'",
    "error[E0502]: cannot borrow `fleet` as mutable because it is also borrowed as immutable",
    "The harbour master asked for a report of all ships that arrived after midnight.",
    "Could you explain what this regular expression matches?",
    "ok",
    "Thanks, that fixed it!",
    "The memory grows by about two megabytes a minute until the process is killed.",
    "Use a bounded queue, so that a slow reader slows the writer down.",
    "We decided against a database: a file that is replaced by a rename is enough.",
    "git rebase --onto main feature~3 feature",
    "The flag is documented, but nothing reads it.",
    "Warum bricht die Suche nach drei Sekunden ab?",
    "La réponse arrive avant la question.",
    "検索が三秒後に止まるのはなぜですか。",
    "Почему поиск останавливается через три секунды?",
    "🙂 looks good to me",
    "Add a test that kills the process between the write and the rename.",
    "The log says the port is in use, but netstat shows nothing.",
    "Please summarise what changed since yesterday.",
    "The button is three pixels too far to the left in the dark theme.",
    "A vector of length one needs no division when it is compared.",
    "x = [n for n in range(100) if n % 7 == 0]",
    "The invoice was paid twice because the webhook came twice.",
    "Make the lock file's path absolute before changing the directory.",
    "She sells sea shells on the sea shore.",
    "curl -sSf https://example.org/install.sh | sh",
    "How do I undo the last commit without losing my changes?",
    "The map is drawn upside down on the southern hemisphere.",
    "Nobody has touched this module for six years.",
    LONG,
    LONG * 3,
)
