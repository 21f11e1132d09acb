"""What nobody ever spoke of: made-up questions, and words that are none; how often a search finds an answer.

A question is asked of a set only where its topic's own word is in no turn of it. The same ones each time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tests.recall import asking
from tests.recall.asking import Searched
from tests.recall.sets import SEED, RecallSet

# The word that stands for the topic comes first.
TOPICS: Final = (
    "ingress: certificates of the kubernetes ingress",
    "postgres: database migrations with postgres",
    "varroa: varroa mites in beehives",
    "accordion: tuning an accordion's reeds",
    "sourdough: sourdough hydration percentages",
    "byzantine: hoards of Byzantine coins",
    "shader: shader compilation stutter",
    "payroll: payroll tax withholding",
    "lunar: lunar transfer windows",
    "rosin: brands of violin rosin",
    "terraform: terraform state locking",
    "kafka: kafka consumer lag",
    "cheese: humidity in the cheese cave",
    "sumo: sumo wrestling ranks",
    "buttress: Gothic cathedrals' buttresses",
    "insulin: insulin pump calibration",
    "lisbon: the timetable of trams in Lisbon",
    "volcanic: volcanic ash and jet engines",
    "falconry: hood sizes in falconry",
    "subtitles: opera subtitles in Finnish",
    "graphql: GraphQL schema federation",
    "elevator: elevator maintenance contracts",
    "saffron: saffron harvest prices",
    "annealing: quantum annealing hardware",
    "welsh: slate quarries of the Welsh",
    "amortisation: mortgage amortisation spreadsheets",
    "glacier: dating of ice cores from a glacier",
    "redis: Redis cluster failover",
    "bagpipe: drone reeds of a bagpipe",
    "antarctic: the census of Antarctic penguins",
    "parachute: parachute packing certificates",
    "cobol: COBOL copybooks on the mainframe",
    "truffle: pigs that hunt for truffles",
    "reactor: nuclear reactor coolant pumps",
    "soldering: soldering stained glass",
    "bluetooth: Bluetooth headset pairing",
    "mongolian: Mongolian throat singing",
    "vaccine: vaccine cold chain logistics",
    "vesting: vesting of stock options",
    "aqueduct: gradients of Roman aqueducts",
    "elasticsearch: Elasticsearch shard rebalancing",
    "camel: camel racing regulations",
    "hydroponic: hydroponic lettuce nutrients",
    "chess: chess endgame tablebases",
    "overbooking: overbooking of airline seats",
    "blockchain: gas fees on the blockchain",
    "isotopes: isotopes in dinosaurs' eggshells",
    "sauna: wiring of the sauna's stove",
    "esperanto: verb endings in Esperanto",
    "flexbox: flexbox and grid in old browsers",
    "locomotive: locomotive brake shoes",
    "peat: restoration of the peat bog",
    "karaoke: karaoke licensing fees",
    "unreal: lighting bakes in Unreal Engine",
)
_FORMS: Final = (
    "what is our policy on {}",
    "how did we decide about {}",
    "{}",
    "who was working on {} last month",
    "why does {} keep failing",
    "did anyone mention {}",
)
_LETTERS: Final = "qzxjkvwpf"
_SYLLABLES: Final = "bla vro zug kem fip dor nax wob tri gul mep sko jiv quo"
_OF_EACH: Final = 30


class Absent(NamedTuple):
    """What is asked, and the word without which it is about nothing there; empty where it is about nothing."""

    text: str
    topic: str


class Share(NamedTuple):
    """Of `n` queries the share that something was found for, and for which it was said to be an answer."""

    n: int
    found: float
    answered: float


def questions() -> list[Absent]:
    """Return two questions about each topic."""
    rng = random.Random(SEED)
    split = (topic.split(": ") for topic in TOPICS)
    return [Absent(form.format(text), word) for word, text in split for form in rng.sample(_FORMS, 2)]


def nonsense() -> list[Absent]:
    """Return words that nobody could read, words that somebody could, and several of these together."""
    rng = random.Random(SEED)
    syllables = _SYLLABLES.split()

    def word() -> str:
        return "".join(rng.choice(syllables) for _ in range(rng.randrange(2, 4)))

    unreadable = ["".join(rng.choices(_LETTERS, k=rng.randrange(5, 10))) for _ in range(_OF_EACH)]
    several = [" ".join(word() for _ in range(3)) for _ in range(_OF_EACH)]
    return [Absent(text, "") for text in (*unreadable, *(word() for _ in range(_OF_EACH)), *several)]


def about_nothing(asked: Iterable[Absent], texts: Sequence[str]) -> list[str]:
    """Return the queries whose topics' words are in no text."""
    everything = "\n".join(texts).casefold()
    return [each.text for each in asked if not each.topic or each.topic not in everything]


def measure(measured: RecallSet, prepared: Sequence[Searched], mode: str) -> dict[str, Share]:
    """Ask a set for what it does not have."""
    shares = {}
    for what, asked in (("questions", questions()), ("nonsense", nonsense())):
        rows: list[tuple[bool, bool]] = []
        for searched in prepared:
            texts = [turn.text for turn in asking.read_turns(searched.repository)]
            queries = about_nothing(asked, texts)
            for answer in asking.answers(searched, queries, measured.group, mode):
                found = bool(answer["hits"])
                rows.append((found, found and not answer.get("weak")))
        shares[what] = Share(len(rows), *(sum(column) / len(rows) for column in zip(*rows, strict=True)))
    return shares
