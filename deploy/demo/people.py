"""The people: plainly made up, the same on every run."""

from dataclasses import dataclass
from random import Random

FIRST_NAMES = ["Ada", "Bo", "Chidi", "Dana", "Emil", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena"]
LAST_NAMES = ["Almeida", "Brandt", "Castellano", "Dvořák", "Eriksen", "Fofana", "Göransson", "Hakimi", "Ito"]
DOMAIN = "demo.broadsheet.example"
CREATORS = 36
FOLLOWED = (3, 8)
REVIEWERS = (0, 5)
SEED = 20_26
REVIEWS = [
    (5, "Read it twice, and found something new the second time."),
    (5, "Exactly what I was looking for."),
    (4, "Clear from the first paragraph on. I would have liked a longer example."),
    (4, "Good overview, well ordered."),
    (3, "Useful, though the middle part lost me."),
    (2, "Too short for what the title promises."),
]


@dataclass(frozen=True)
class Human:
    """Somebody with an account."""

    first_name: str
    last_name: str
    username: str

    @property
    def email(self) -> str:
        """An address that no mail can leave to: `.example` is nobody's."""
        return f"{self.username}@{DOMAIN}"

    @property
    def bio(self) -> str:
        """A line for the creator's page."""
        return f"{self.first_name} reads what others install, and writes about it."


@dataclass(frozen=True)
class Review:
    """What one says of an article, by the article's place in the list."""

    reviewer: Human
    rating: int
    text: str


def list_people(count: int = CREATORS) -> list[Human]:
    """So many people, each with a name of their own."""
    names = [(first, last) for last in LAST_NAMES for first in FIRST_NAMES]
    Random(SEED).shuffle(names)  # noqa: S311 - nothing secret about it
    return [create_human(first, last) for first, last in names[:count]]


def create_human(first_name: str, last_name: str) -> Human:
    ascii_name = f"{first_name}_{last_name}".lower().translate(str.maketrans("ořáö", "orao"))
    return Human(first_name, last_name, f"demo_{ascii_name}")


def choose_followed(people: list[Human]) -> dict[Human, list[Human]]:
    """Whom each of them follows; never themselves."""
    random = Random(SEED)  # noqa: S311
    return {
        human: random.sample([other for other in people if other != human], random.randint(*FOLLOWED))
        for human in people
    }


def choose_reviews(people: list[Human], author: Human, key: str) -> list[Review]:
    """What others say of one article: the same on every run, whatever other articles there are."""
    random = Random(f"{SEED}:{key}")  # noqa: S311
    others = [human for human in people if human != author]
    reviewers = random.sample(others, random.randint(*REVIEWERS))
    return [Review(reviewer, *random.choice(REVIEWS)) for reviewer in reviewers]
